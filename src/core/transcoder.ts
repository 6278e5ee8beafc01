import type { Dialect, EventReader, EventWriter, Meter, ReplyContext } from './dialect.ts'
import { noUsage, type ReplyEvent, type Usage } from './event.ts'
import { Failure } from './failure.ts'
import { eachEvent, normalLines, SseFramer, utf8, type SseEvent } from './sse.ts'

/**
 * Turns the vendor's stream into the caller's, chunk by chunk and synchronously. It is also the judge of the stream:
 * whether content has begun, whether it failed, whether it really ended.
 */
export interface Transcoder {
  /** What to send for this chunk; '' for nothing. Throws Failure for what cannot be read. */
  push(chunk: Buffer): Buffer | string
  /** The vendor's stream is over: what is left to send. Afterwards `complete` is final. */
  end(): Buffer | string
  /** Content has been seen: the answer is safe to commit to. */
  readonly begun: boolean
  /** The dialect's own last event has been seen: anything else is a cut. */
  readonly complete: boolean
  /** The vendor's error event. Nothing after it counts. */
  readonly failure: Failure | undefined
  /** The same as the vendor wrote it, where the caller speaks the vendor's dialect. Not yet sent. */
  readonly failureEvent: SseEvent | undefined
  readonly usage: Usage
  /** The model's name as the vendor gave it. */
  readonly model: string | undefined
}

/** Same dialect on both sides: the bytes go on as they came, a chunk at a time, cut only at the ends of events. */
export class Passthrough implements Transcoder {
  readonly #framer = new SseFramer()
  readonly #meter: Meter
  /** From-to pairs of what in this chunk does not go to the caller. */
  #cuts: number[] = []
  failureEvent: SseEvent | undefined

  constructor(dialect: Dialect, context: ReplyContext) {
    this.#meter = dialect.stream.meter(context)
  }

  push(chunk: Buffer): Buffer | string {
    return this.#watch(this.#framer.push(chunk))
  }

  end(): Buffer | string {
    try {
      return this.#watch(this.#framer.rest())
    } catch (thrown) {
      // Half an event: the stream was cut there, which `complete` will tell.
      if (thrown instanceof Failure && thrown.kind === 'vendor-unreadable') return ''
      throw thrown
    }
  }

  get begun(): boolean {
    return this.#meter.begun
  }

  get complete(): boolean {
    return this.#meter.complete
  }

  get failure(): Failure | undefined {
    return this.#meter.failure
  }

  get usage(): Usage {
    return this.#meter.usage
  }

  get model(): string | undefined {
    return this.#meter.model
  }

  readonly #take = (name: string, data: string, from: number, to: number): void => {
    if (this.failureEvent !== undefined) {
      this.#cuts.push(from, to)
      return
    }
    this.#meter.event(name, data)
    if (this.#meter.failure !== undefined) {
      this.failureEvent = { name, data: utf8(data) }
      this.#cuts.push(from, to)
    } else if (this.#meter.drop) this.#cuts.push(from, to)
  }

  #watch(whole: Buffer): Buffer | string {
    if (whole.length === 0) return ''
    // Latin-1 costs a copy, UTF-8 a decoding: the meter needs field names and numbers only.
    const text = normalLines(whole.toString('latin1'))
    eachEvent(text, this.#take)
    return this.#cuts.length === 0 ? whole : this.#without(text)
  }

  #without(text: string): Buffer {
    let kept = ''
    let at = 0
    for (let cut = 0; cut < this.#cuts.length; cut += 2) {
      kept += text.slice(at, this.#cuts[cut])
      at = this.#cuts[cut + 1] as number
    }
    this.#cuts = []
    return Buffer.from(kept + text.slice(at), 'latin1')
  }
}

/** Different dialects: the vendor's events are read into the core's and written as the caller's. */
export class Translation implements Transcoder {
  readonly #framer = new SseFramer()
  readonly #reader: EventReader
  readonly #writer: EventWriter
  #out = ''
  begun = false
  complete = false
  failure: Failure | undefined
  readonly failureEvent = undefined
  usage: Usage = { ...noUsage }
  model: string | undefined

  constructor(from: Dialect, to: Dialect, vendor: string, context: ReplyContext) {
    this.#reader = from.stream.reader(vendor)
    this.#writer = to.stream.writer(context)
  }

  push(chunk: Buffer): string {
    const whole = this.#framer.push(chunk)
    if (whole.length > 0) eachEvent(normalLines(whole.toString()), this.#read)
    return this.#flush()
  }

  end(): string {
    const rest = this.#framer.rest()
    if (this.failure === undefined) this.#reader.end(normalLines(rest.toString()), this.#emit)
    return this.#flush()
  }

  readonly #read = (name: string, data: string): void => {
    if (this.failure === undefined) this.#reader.read(name, data, this.#emit)
  }

  readonly #emit = (event: ReplyEvent): void => {
    switch (event.type) {
      case 'failure':
        this.failure = event.failure
        return
      case 'usage':
        this.usage = event.usage
        break
      case 'start':
        this.model = event.model
        break
      case 'end':
        this.begun = true
        this.complete = true
        break
      case 'ping':
        break
      default:
        this.#write(event)
        return
    }
    this.#out += this.#writer.write(event)
  }

  /** Content has begun once something of it goes out: thoughts that the caller did not ask for do not. */
  #write(event: ReplyEvent): void {
    const text = this.#writer.write(event)
    if (text !== '') this.begun = true
    this.#out += text
  }

  #flush(): string {
    const out = this.#out
    this.#out = ''
    return out
  }
}
