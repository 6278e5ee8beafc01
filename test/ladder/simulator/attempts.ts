import { noUsage } from '../../../src/core/event.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { Answer, Attempt, Running, Sink } from '../../../src/gateway/attempt.ts'
import type { Script } from './vendors.ts'
import type { Due, VirtualTime } from './virtual-time.ts'

/** What became of a try at the vendor's end. */
export interface Observer {
  /** The answer may be committed to, or the try has failed or was cancelled. */
  settled(outcome: Answer | Failure): void
  /** Nothing more comes. */
  over(failure: Failure | undefined): void
}

/**
 * One try at a vendor that does what its script says, as patient as it is told to be: the outside of `attempt`
 * (src/gateway/attempt.ts) without a socket.
 */
export class ScriptedTry implements Running {
  readonly outcome: Promise<Answer | Failure>
  readonly #one: Attempt
  readonly #script: Script
  readonly #time: VirtualTime
  readonly #observer: Observer
  readonly #startedMs: number
  readonly #dues: Due[] = []
  #watch: Due | undefined
  #settle: (outcome: Answer | Failure) => void = () => {}
  #firstByteMs: number
  #hasHead = false
  #settled = false
  #over = false
  #ending: Failure | undefined
  #sink: Sink | undefined

  constructor(one: Attempt, script: Script, time: VirtualTime, observer: Observer) {
    this.#one = one
    this.#script = script
    this.#time = time
    this.#observer = observer
    this.#startedMs = time.nowMs()
    this.#firstByteMs = one.patience.firstByteMs
    this.outcome = new Promise((resolve) => {
      this.#settle = resolve
    })
    if (script.headMs < Infinity) this.#dues.push(time.after(script.headMs, () => this.#head()))
    if (script.outcomeMs < Infinity) this.#dues.push(time.after(script.outcomeMs, () => this.#come()))
    this.#wait()
  }

  readonly cancel = (reason: Failure): void => this.#finish(reason)

  #head(): void {
    this.#hasHead = true
    this.#one.record.status = this.#script.status
  }

  #come(): void {
    if (this.#over) return
    const { failure, outcomeMs, endMs, broken } = this.#script
    if (failure !== undefined) {
      this.#finish(failure)
      return
    }
    this.#settled = true
    const stream = this.#one.call.head.stream
    this.#told(stream ? this.#streamed() : { type: 'whole', body: '', usage: noUsage, model: undefined })
    if (!stream) this.#finish(undefined)
    else this.#dues.push(this.#time.after(endMs - outcomeMs, () => this.#finish(broken)))
  }

  #streamed(): Answer {
    return {
      type: 'streamed',
      first: [],
      // Nobody looks at what the stream says.
      transcoder: {} as never,
      attach: (sink) => {
        this.#sink = sink
        if (this.#over) sink.end(this.#ending)
        return { resume: () => {} }
      },
    }
  }

  /** For the nearest of what is left of the patience, and looked at anew when it has come. */
  #wait(): void {
    const { commitMs, totalMs } = this.#one.patience
    const nearestMs = Math.min(
      totalMs,
      this.#settled ? Infinity : commitMs,
      this.#hasHead ? Infinity : this.#firstByteMs,
    )
    if (nearestMs < Infinity) this.#watch = this.#time.at(this.#startedMs + nearestMs, () => this.#due())
  }

  #due(): void {
    if (this.#over) return
    const passedMs = this.#time.nowMs() - this.#startedMs + 1e-6
    const { commitMs, totalMs } = this.#one.patience
    if (passedMs >= totalMs) this.#late('total')
    else if (!this.#settled && passedMs >= commitMs) this.#late('commit')
    else {
      if (!this.#hasHead && passedMs >= this.#firstByteMs) this.#firstByteMs = this.#one.patience.longer()
      if (!this.#hasHead && passedMs >= this.#firstByteMs) this.#late('first byte')
      else this.#wait()
    }
  }

  #late(which: string): void {
    const { vendor } = this.#one.rung
    this.#finish(new Failure('vendor-slow', `${vendor.title}: late (${which}).`, { vendor: vendor.name }))
  }

  #told(outcome: Answer | Failure): void {
    this.#observer.settled(outcome)
    this.#settle(outcome)
  }

  #finish(failure: Failure | undefined): void {
    if (this.#over) return
    this.#over = true
    this.#ending = failure
    this.#watch?.cancel()
    for (const due of this.#dues) due.cancel()
    if (failure !== undefined && !this.#settled) this.#told(failure)
    this.#settled = true
    this.#observer.over(failure)
    this.#sink?.end(failure)
  }
}
