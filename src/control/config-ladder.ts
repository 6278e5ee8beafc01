import * as z from 'zod'

/** A longer wait does not fit into a timer, which would then end at once. */
const millisecondsMax = 2 ** 31 - 1
export const milliseconds = z.int().min(1).max(millisecondsMax)
const wait = z.int().min(0).max(millisecondsMax)
const windowMs = z.int().min(1000).max(60_000)
const share = z.number().min(0).max(1)

/** A setting: what it may be, what it is when nothing is said, and a sentence for people. */
type Settings = Readonly<Record<string, readonly [type: z.ZodType, byDefault: unknown, about: string]>>

const deadlines = {
  connectMs: [milliseconds, 3000, 'To connect to a vendor.'],
  firstByteMs: [
    milliseconds,
    120_000,
    'To the first byte of a streamed answer, while another rung of the ladder is healthy.',
  ],
  firstByteLastMs: [milliseconds, 300_000, 'The same where no other rung is healthy.'],
  thinkingMs: [milliseconds, 300_000, 'As firstByteMs, where the call asks for thinking.'],
  thinkingLastMs: [milliseconds, 570_000, 'As firstByteLastMs, where the call asks for thinking.'],
  idleMs: [milliseconds, 90_000, 'Between two bytes of an answer; a vendor’s pings count.'],
  wholeCallMs: [milliseconds, 595_000, 'For a call that is not streamed, all tries together.'],
  streamedCallMs: [milliseconds, 3_600_000, 'For a streamed call.'],
} as const satisfies Settings

const retries = {
  enabled: [z.boolean(), true, 'Off: one try a call, and no climbing.'],
  triesMax: [z.int().min(1).max(5), 3, 'The most tries of one call over all rungs.'],
  triesMaxRetried: [z.int().min(1).max(5), 2, 'The same for a call that is a caller’s own retry.'],
  triesLastRung: [z.int().min(1).max(5), 2, 'The most tries of the last healthy rung; other rungs have one.'],
  waitMsMax: [wait, 2000, 'The most waiting added to one call in all.'],
  backoffMs: [wait, 50, 'Before a try on the same rung: a random time up to this, doubled each time.'],
  backoffLimitedMs: [wait, 500, 'The same after a rate limit that names no time.'],
  backoffMsMax: [wait, 2000, 'The most that doubling comes to.'],
} as const satisfies Settings

const cooldown = {
  enabled: [z.boolean(), true, 'Off: calls go to a rung though it asked for a pause of others.'],
  statedMsMax: [milliseconds, 3_600_000, 'A Retry-After beyond this is not believed.'],
  limitedMs: [milliseconds, 1000, 'After a rate limit that names no time, doubled each time.'],
  limitedMsMax: [milliseconds, 30_000, 'The most that doubling comes to.'],
  refusedMs: [milliseconds, 60_000, 'After a refusal of the credential, doubled each time.'],
  refusedMsMax: [milliseconds, 1_800_000, 'The most that doubling comes to.'],
  missingMs: [milliseconds, 300_000, 'After the vendor said that it has no such model.'],
} as const satisfies Settings

const breaker = {
  enabled: [z.boolean(), true, 'Off: a rung never counts as down.'],
  failuresInRow: [z.int().min(1).max(1000), 5, 'Failures in a row that open it.'],
  failureShare: [share, 0.5, 'The share of failures that opens it.'],
  callsMin: [z.int().min(1).max(10_000), 10, 'Of at least so many calls.'],
  windowMs: [windowMs, 10_000, 'In this time.'],
  openMs: [milliseconds, 5000, 'How long it stays open, doubled each time.'],
  openMsMax: [milliseconds, 60_000, 'The most that doubling comes to.'],
  probesGood: [z.int().min(1).max(100), 3, 'Good calls, one at a time, that close it.'],
} as const satisfies Settings

const budget = {
  enabled: [z.boolean(), true, 'Off: retries are bounded for each call only.'],
  share: [share, 0.1, 'Retries on the same rung, as a share of its calls.'],
  windowMs: [windowMs, 10_000, 'In this time.'],
  floor: [z.int().min(0).max(16), 3, 'So many may be under way whatever the share.'],
} as const satisfies Settings

const adaptive = {
  enabled: [z.boolean(), false, 'Find out how many calls at once each credential takes.'],
  start: [z.int().min(1).max(100_000), 64, 'To begin with.'],
  least: [z.int().min(1).max(100_000), 4, 'Never fewer.'],
  most: [z.int().min(1).max(100_000), 2048, 'Never more.'],
  factor: [z.number().min(0.1).max(0.99), 0.75, 'What is left when a vendor says that it is too much.'],
} as const satisfies Settings

type Values<S extends Settings> = { [Name in keyof S]: z.infer<S[Name][0]> }

/** All of a group, with its defaults. */
function group<S extends Settings>(settings: S, about: string) {
  const shape = Object.entries(settings).map(([name, [type, byDefault, text]]) => [
    name,
    type.default(byDefault).describe(text),
  ])
  // The defaults fill what is left out, which zod's own types cannot follow through a mapping.
  return z.strictObject(Object.fromEntries(shape)).prefault({}).describe(about) as unknown as z.ZodType<
    Values<S>,
    Partial<Values<S>> | undefined
  >
}

/** Any of a group, to differ from what is in force elsewhere. */
function overrides<S extends Settings>(settings: S, about: string) {
  const shape = Object.entries(settings).map(([name, [type, , text]]) => [name, type.optional().describe(text)])
  return z.strictObject(Object.fromEntries(shape)).optional().describe(about) as unknown as z.ZodType<
    Partial<Values<S>> | undefined
  >
}

/** What may be said for all rungs, for a ladder, and for one rung of it. */
export const placeGroups = {
  deadlines: group(deadlines, 'How long to wait for what.'),
  cooldown: group(cooldown, 'How long a rung is left alone after an answer that asks for it.'),
  breaker: group(breaker, 'When a rung counts as down.'),
  budget: group(budget, 'How many retries on the same rung all calls may make together.'),
} as const

export const retryGroup = group(retries, 'Retries of one call.')
export const adaptiveGroup = group(adaptive, 'Calls at once for credentials without a callsMax.')

/** What is wrong with limits of concurrency that would each be right alone; undefined where they go together. */
export function adaptiveProblem({ least, start, most }: Values<typeof adaptive>): string | undefined {
  if (least > start) return `least, which is ${least}, must not be more than start, which is ${start}`
  if (start > most) return `start, which is ${start}, must not be more than most, which is ${most}`
  return undefined
}

const placeOverrides = {
  deadlines: overrides(deadlines, 'As for all rungs; what is left out stays.'),
  cooldown: overrides(cooldown, 'As for all rungs; what is left out stays.'),
  breaker: overrides(breaker, 'As for all rungs; what is left out stays.'),
  budget: overrides(budget, 'As for all rungs; what is left out stays.'),
} as const

const modelName = z.string().min(1).max(200)

const rung = z.union([
  modelName,
  z.strictObject({
    model: modelName.describe('A model, an alias, or vendor/model.'),
    credentials: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe('Names of keys of its vendor; all of them where nothing is said.'),
    ...placeOverrides,
  }),
])

/** One ladder of the operator's. */
export const ladderConfig = z.strictObject({
  rungs: z.array(rung).min(1).max(10).describe('Models to try, best first.'),
  hedgeAfterMs: milliseconds
    .optional()
    .describe('Start the next rung too where the first has given no content by then. Paid twice; off unless set.'),
  retries: overrides(retries, 'As for all calls; what is left out stays.'),
  ...placeOverrides,
})

/** How ladders are named: they stand in model names and headers. */
export const ladderName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,49}$/, 'must be up to 50 small letters, digits, ., _ or -')
  .regex(/^(?!off$)/, 'must not be off, by which a call asks for no ladder')

export const ladderRule = z.strictObject({
  models: z.string().min(1).max(200).describe('A model’s name as callers give it; * stands for any text.'),
  ladder: ladderName.describe('The ladder that these models belong to.'),
})
