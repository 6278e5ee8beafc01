import { inputAll, type Usage } from './event.ts'
import type { Model, Price, Rates } from './vendor.ts'

/** Money: a whole number of billionths of a US dollar, so that sums of it are exact. */
export type NanoDollars = number

/** What a call costs. `unknown`: the model has no price, and its tokens are all that can be counted. */
export type Cost = { readonly type: 'known'; readonly nano: NanoDollars } | Unpriced
interface Unpriced {
  readonly type: 'unknown'
  readonly tokens: number
}

/**
 * What a call costs by its counts and its model's price, rounded once, half up. Above the step of `long`, cached input
 * included, every token has the long rate: so do Anthropic, OpenAI, Google and xAI. Thinking is part of the output.
 *
 * A rate that is not known is never made up from another vendor's habits. Cached tokens without a rate cost as much as
 * other input, and a write for an hour as much as a shorter one; a batch without `batchPercent` costs as much as any call.
 * For a call that was simulated there is nothing to ask here.
 */
export function costOf(usage: Usage, model: Model, options: { readonly batch?: boolean } = {}): Cost {
  const counts = wholeCounts(usage)
  const { price } = model
  if (price === undefined) return unpriced(inputAll(counts), counts.output)
  const rates = picoRates(isLong(price, inputAll(counts)) ? price.long : price)
  const pico = classes.reduce((sum, name) => sum + BigInt(rates[name]) * BigInt(counts[name]), 0n)
  return known(pico, options.batch === true ? price.batchPercent : undefined)
}

/**
 * The most that a call of this size can cost, to be set aside before it is made: all its input in the dearest class,
 * at the dearest rates that it can reach.
 */
export function upperBound(
  model: Model,
  { inputTokens, outputTokensMax }: { readonly inputTokens: number; readonly outputTokensMax: number },
): Cost {
  const [input, output] = [wholeCount(inputTokens), wholeCount(outputTokensMax)]
  const { price } = model
  if (price === undefined) return unpriced(input, output)
  // The call may turn out shorter than its estimate, so the short rates stay in the running.
  const steps = (isLong(price, input) ? [price, price.long] : [price]).map(picoRates)
  const dearest = Math.max(...steps.flatMap((rates) => inputClasses.map((name) => rates[name])))
  const outputRate = Math.max(...steps.map((rates) => rates.output))
  return known(BigInt(dearest) * BigInt(input) + BigInt(outputRate) * BigInt(output))
}

/**
 * Checks the prices of a catalogue where it is loaded; `costOf` trusts them from there on. Throws an Error that names
 * each model and field that cannot be reckoned with exactly.
 */
export function priced(models: readonly Model[]): void {
  const faults = models.flatMap(({ id, price }) =>
    price === undefined ? [] : priceFaults(price).map((fault) => `${id}: ${fault}`),
  )
  if (faults.length > 0) throw new Error(`The catalogue has prices that cannot be reckoned with:\n${faults.join('\n')}`)
}

/** An amount for people: to the cent from a dollar on, below it to four significant digits. */
export function formatDollars(nano: NanoDollars): string {
  const amount = BigInt(Math.abs(nano))
  const digitsCut = amount >= nanoPerDollar ? 7 : Math.max(0, String(amount).length - 4)
  const unit = 10n ** BigInt(digitsCut)
  const shown = ((amount + unit / 2n) / unit) * unit
  // Nine digits, of which the zeros at the end go, but for the cents.
  const decimals = String(shown % nanoPerDollar)
    .padStart(9, '0')
    .replace(/0{1,7}$/, '')
  return `${nano < 0 ? '-' : ''}$${shown / nanoPerDollar}.${decimals}`
}

const nanoPerDollar = 1_000_000_000n

/** A dollar a million tokens is this many pico-dollars (10^-12 dollars) a token. */
const picoPerRate = 1_000_000

/**
 * Limits that keep every cost below 2^53: five classes of so many tokens at this rate are five million dollars. No
 * vendor is near them; a count above is a vendor's slip and counts as the limit.
 */
const tokensMax = 100_000_000
const rateMax = 10_000

const inputClasses = ['input', 'cacheRead', 'cacheWrite5m', 'cacheWrite1h'] as const
/** What is paid for. No token is counted in two of these: the dialects' readers see to it. */
const classes = [...inputClasses, 'output'] as const

/** Pico-dollars a token, for each class. */
function picoRates(rates: Rates): Record<(typeof classes)[number], number> {
  const { input, output, cacheRead = input, cacheWrite = input, cacheWrite1h = cacheWrite } = rates
  // The product of two doubles may miss the whole number by a hair; `priced` has made sure that there is one.
  const pico = (rate: number): number => Math.round(rate * picoPerRate)
  return {
    input: pico(input),
    output: pico(output),
    cacheRead: pico(cacheRead),
    cacheWrite5m: pico(cacheWrite),
    cacheWrite1h: pico(cacheWrite1h),
  }
}

function isLong(price: Price, inputTokens: number): price is Price & Required<Pick<Price, 'long'>> {
  return price.long !== undefined && inputTokens > price.long.above
}

/** Rounds once, with the batch's share already in it. */
function known(pico: bigint, percent = 100): Cost {
  return { type: 'known', nano: Number((pico * BigInt(percent) + 50_000n) / 100_000n) }
}

function unpriced(inputTokens: number, outputTokens: number): Cost {
  return { type: 'unknown', tokens: inputTokens + outputTokens }
}

function wholeCounts(usage: Usage): Usage {
  return {
    input: wholeCount(usage.input),
    output: wholeCount(usage.output),
    cacheRead: wholeCount(usage.cacheRead),
    cacheWrite5m: wholeCount(usage.cacheWrite5m),
    cacheWrite1h: wholeCount(usage.cacheWrite1h),
    thinking: wholeCount(usage.thinking),
  }
}

/** A vendor's count is any number at all: as the nearest that tokens can be. */
function wholeCount(tokens: number): number {
  return tokens > 0 ? Math.min(Math.ceil(tokens), tokensMax) : 0
}

const rateNames = ['input', 'output', 'cacheRead', 'cacheWrite', 'cacheWrite1h'] as const
const needed: readonly string[] = ['input', 'output'] satisfies (keyof Rates)[]

function priceFaults(price: Price): string[] {
  const { long, batchPercent, ...rates } = price
  const faults = rateFaults('price', rates)
  if (batchPercent !== undefined && !isWhole(batchPercent, 0, 100)) {
    faults.push(`price.batchPercent is ${batchPercent}; it must be a whole number from 0 to 100`)
  }
  if (long === undefined) return faults
  const { above, ...longRates } = long
  if (!isWhole(above, 1, tokensMax)) {
    faults.push(`price.long.above is ${above}; it must be a whole number of tokens from 1 to ${tokensMax}`)
  }
  return [...faults, ...rateFaults('price.long', longRates)]
}

/** A name that is not known is a fault too: a misspelt `cacheRead` would be charged as input without a word. */
function rateFaults(path: string, rates: Rates): string[] {
  const strange = Object.keys(rates).filter((name) => !(rateNames as readonly string[]).includes(name))
  const wrong = rateNames.filter((name) => (name in rates || needed.includes(name)) && !isExact(rates[name]))
  return [
    ...strange.map((name) => `${path}.${name} is not a price; known are ${rateNames.join(', ')}`),
    ...wrong.map(
      (name) =>
        `${path}.${name} is ${rates[name]}; it must be dollars a million tokens, from 0 to ${rateMax}, with six decimals at most`,
    ),
  ]
}

/**
 * A rate with six decimals or fewer is the double that a whole number divided by a million gives, since both are the
 * nearest to the same decimal number; a finer rate is another double.
 */
function isExact(rate: unknown): boolean {
  if (typeof rate !== 'number' || !(rate >= 0 && rate <= rateMax)) return false
  return Math.round(rate * picoPerRate) / picoPerRate === rate
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isInteger(value) && (value as number) >= min && (value as number) <= max
}
