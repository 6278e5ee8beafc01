import type { Body } from '../../core/body.ts'
import { inputAll, type Usage } from '../../core/event.ts'
import { BoundedMap } from './bounded-map.ts'
import { sizeOf, type Size } from './scan.ts'

/** What an estimate needs to know of a call. */
export interface CallFacts {
  readonly keyId: string
  readonly vendor: string
  readonly model: string
  /** The most output tokens, as the call or else its model has it; undefined where neither says. */
  readonly tokensMax: number | undefined
}

/** The tokens that a call will use, more or less. */
export interface Estimate {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly size: Size
}

/** Of what an image or a file is counted as; the true number comes with the vendor's count. */
const tokensPerMedia = 1000

/** The output is taken to be this much longer than usual, so that few calls use more than was set aside for them. */
const outputMargin = 1.5
const outputTokensMin = 256
/** Where nothing is known of a key's calls to a model. */
const outputTokensFirst = 1024

/** Each call is a twentieth of what is known after it; the first ones are more. */
const weightMin = 1 / 20

/** What a model begins with is worth a quarter of a call: after twenty calls little of it is left. */
const firstCount = 0.25

/** In shorter bodies there are more brackets and names of fields than text. */
const textBytesMin = 1024

/** A count further off than this from where a model began is told of something else than its tokenizer. */
const ratioSpan = 2

/** Most models, and most pairs of a key and a model, that are known of; those that were not called for longest make room. */
const modelsMax = 1000
const pairsMax = 20_000

/** Learns how many bytes a token of each model is, and how long the answers are that each key gets of it. */
export class TokenRatios {
  readonly #bytesPerToken = new BoundedMap<Mean>(modelsMax)
  readonly #outputTokens = new BoundedMap<Mean>(pairsMax)

  estimate(body: Body, facts: CallFacts): Estimate {
    const size = sizeOf(body)
    const ratio = this.#bytesPerToken.get(modelOf(facts))?.value ?? firstRatio(facts.model)
    const usual = this.#outputTokens.get(pairOf(facts))?.value
    const output = usual === undefined ? outputTokensFirst : Math.max(outputTokensMin, outputMargin * usual)
    return {
      inputTokens: Math.ceil(size.textBytes / ratio) + size.media * tokensPerMedia,
      outputTokens: Math.ceil(Math.min(facts.tokensMax ?? Infinity, output)),
      size,
    }
  }

  /** What a call has used that came to its natural end. */
  learn({ size }: Estimate, facts: CallFacts, usage: Usage): void {
    if (usage.output > 0)
      this.#outputTokens.set(pairOf(facts), mixed(this.#outputTokens.get(pairOf(facts)), usage.output))
    const inputTokens = inputAll(usage)
    if (size.media > 0 || size.textBytes < textBytesMin || !(inputTokens > 0)) return
    const first = firstRatio(facts.model)
    const ratio = Math.min(Math.max(size.textBytes / inputTokens, first / ratioSpan), first * ratioSpan)
    const before = this.#bytesPerToken.get(modelOf(facts)) ?? { value: first, count: firstCount }
    this.#bytesPerToken.set(modelOf(facts), mixed(before, ratio))
  }
}

/** A mean in which what is new counts for more than what is old. */
interface Mean {
  readonly value: number
  /** How many are in it. */
  readonly count: number
}

function mixed(before: Mean | undefined, value: number): Mean {
  if (before === undefined) return { value, count: 1 }
  const weight = Math.max(weightMin, 1 / (before.count + 1))
  return { value: before.value + weight * (value - before.value), count: before.count + 1 }
}

function modelOf({ vendor, model }: CallFacts): string {
  return `${vendor}/${model}`
}

function pairOf(facts: CallFacts): string {
  return `${facts.keyId} ${modelOf(facts)}`
}

/**
 * Bytes a token before anything was learnt, by the model's name rather than its vendor's: a tokenizer is the model's, whoever
 * serves it. Claude counts up to a third more tokens from Opus 4.7 on.
 */
const firstRatios: readonly (readonly [models: RegExp, bytesPerToken: number])[] = [
  [/^claude-(?:[123]\b|[a-z]+-(?:[123]|4(?:-[0-6])?)(?:-\d{8})?$)/, 3.5],
  [/^claude-/, 2.7],
  [/^(?:gpt-|chatgpt-|o\d)/, 4],
  [/^gemini-/, 3.8],
]

/** Of an unknown model: rather too many tokens than too few. */
const ratioOfOthers = 3.5

function firstRatio(model: string): number {
  return firstRatios.find(([models]) => models.test(model))?.[1] ?? ratioOfOthers
}
