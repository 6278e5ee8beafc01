import { existsSync, readFileSync } from 'node:fs'
import { isAlias, isMap, isNode, isSeq, LineCounter, parseDocument, type Document } from 'yaml'
import * as z from 'zod'
import {
  adaptiveGroup,
  adaptiveProblem,
  ladderConfig,
  ladderName,
  ladderRule,
  milliseconds,
  placeGroups,
  retryGroup,
} from './config-ladder.ts'
import { planConfig, planName } from './config-plans.ts'

const reference = z
  .string()
  .regex(/^(\$\{[A-Za-z_][A-Za-z0-9_]*\}|file:.+)$/, 'must refer to a secret as ${NAME} or file:PATH, never hold one')

const origin = z
  .url({ protocol: /^https?$/ })
  .optional()
  .describe('Scheme and host of its API, with a path before it if need be.')

/** One of several keys at a vendor. */
const credential = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][\w.-]{0,49}$/, 'must be up to 50 letters, digits, ., _ or -')
    .describe('What it is called in the file and in your records.'),
  key: reference.describe('The key, as ${NAME} of the environment or file:PATH.'),
  weight: z.int().min(0).max(1000).default(1).describe('Its share of the calls; 0 uses it only when the others fail.'),
  origin,
  callsMax: z.int().min(1).optional().describe('The most calls at once by this key.'),
})

/** What begins with ladder/ or sandbox/ is never looked up among the aliases. */
const aliasName = z
  .string()
  .min(1)
  .regex(/^(?!(ladder|sandbox)\/)/, 'must not begin with ladder/ or sandbox/, which stand for ladders and faults')

/** What `keyrung.yaml` may hold. Every default of the program is here, so that all of it can be set there. */
export function configSchema(vendorNames: readonly string[]) {
  const vendor = z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .describe('Off: never asked and never simulated, whatever keys the environment has.'),
      key: reference.optional().describe('The vendor key, as ${NAME} of the environment or file:PATH.'),
      keys: z.array(credential).min(1).max(50).optional().describe('Several keys, among which calls are spread.'),
      origin,
    })
    .refine((one) => one.key === undefined || one.keys === undefined, 'has key or keys, not both')
    .describe('One vendor. Without a key here or in the environment, the sandbox answers in its place.')
  return z.strictObject({
    server: z
      .strictObject({
        host: z.string().min(1).default('127.0.0.1').describe('The address to listen on.'),
        port: z.int().min(0).max(65535).default(8787).describe('The port to listen on; 0 takes a free one.'),
        mounts: z
          .array(z.string().regex(/^\/([\w.~-]+(\/[\w.~-]+)*)?$/, 'must begin with / and not end with one'))
          .min(1)
          .default(['/', '/api/proxy'])
          .describe('The path prefixes below which all routes stand.'),
        bodyBytesMax: z
          .int()
          .min(1024)
          .default(32 * 1024 * 1024)
          .describe('The largest request body; a larger one is a 413.'),
        callsMax: z.int().min(1).default(10_000).describe('The most calls under way at once; one more is a 529.'),
        pingMs: milliseconds.default(15_000).describe('A silent stream gets a keep-alive after this time.'),
        workers: z
          .union([z.int().min(0).max(64), z.literal('auto')])
          .default('auto')
          .describe('Worker threads that serve calls: auto is one a core, 0 serves them in the main thread.'),
        trustedProxies: z
          .array(z.string().min(1))
          .default([])
          .describe('Addresses or networks of reverse proxies whose X-Forwarded-For is believed.'),
        drainMs: milliseconds
          .default(30_000)
          .describe('How long calls under way may go on when the program is told to stop.'),
      })
      .prefault({}),
    data: z.string().min(1).default('./data').describe('The folder for the database and the secrets of its own.'),
    sandbox: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Simulated vendors answer for those without a key.'),
        paceMs: z.int().min(0).max(60_000).default(15).describe('The pause between two events of a simulated stream.'),
      })
      .prefault({}),
    vendors: z.strictObject(Object.fromEntries(vendorNames.map((name) => [name, vendor.optional()]))).prefault({}),
    aliases: z
      .record(aliasName, z.string().min(1))
      .default({})
      .describe('Model names of your own: each stands for a model or for vendor/model.'),
    keyPrefix: z
      .string()
      .regex(/^[A-Za-z][\w-]{0,19}$/, 'must be 1 to 20 letters, digits, - or _')
      .default('sk-aic-')
      .describe('How callers’ keys begin.'),
    keys: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(100),
          key: reference,
          ladder: ladderName.optional(),
          plan: planName.optional(),
        }),
      )
      .default([])
      .describe('Callers’ keys that you made yourself, by reference.'),
    ladders: z.record(ladderName, ladderConfig).default({}).describe('Models to try one after the other, by name.'),
    shippedLadders: z.boolean().default(true).describe('Offer the ladders that Keyrung brings along.'),
    ladderRules: z
      .array(ladderRule)
      .default([])
      .describe('Which ladder a model belongs to, where neither call nor key names one; the first that fits.'),
    plans: z.record(planName, planConfig).default({}).describe('Plans of your own, by name; see docs/plans.md.'),
    defaultPlan: planName.default('unlimited').describe('The plan of keys that name none.'),
    admin: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Off: no admin API at all.'),
        host: z.string().min(1).optional().describe('An address of its own for the admin API.'),
        port: z
          .int()
          .min(0)
          .max(65535)
          .optional()
          .describe('A port of its own; with it, the callers’ port has no admin API.'),
      })
      .prefault({}),
    ledger: z
      .strictObject({
        sync: z
          .enum(['interval', 'always'])
          .default('interval')
          .describe('always: a call ends when its receipt is on the disk.'),
        syncMs: milliseconds.default(100).describe('What a loss of power may cost at most.'),
        diskFull: z
          .enum(['refuse', 'continue'])
          .default('refuse')
          .describe('New calls while receipts cannot be written: refused, or made with receipts kept in memory.'),
        receiptDays: z
          .int()
          .min(1)
          .max(36_500)
          .default(400)
          .describe('How long receipts are kept; sums by hour and day stay.'),
      })
      .prefault({}),
    webhooks: z
      .array(
        z.strictObject({
          url: z.url({ protocol: /^https?$/ }).describe('Where budgets that are nearly used up are told.'),
          secret: reference.describe('What its messages are signed with, as ${NAME} or file:PATH.'),
          thresholds: z
            .array(z.int().min(1).max(100))
            .min(1)
            .default([80, 100])
            .describe('Percent of a budget at which it is told.'),
        }),
      )
      .max(10)
      .default([])
      .describe('Who is told when a key or owner has used so much of a budget.'),
    retries: retryGroup,
    ...placeGroups,
    adaptiveConcurrency: adaptiveGroup,
    status: z
      .strictObject({
        public: z.boolean().default(false).describe('Show /status to those without a key too.'),
        vendorPages: z.boolean().default(true).describe('Show what the vendors’ own status pages say.'),
        everyMs: milliseconds.default(300_000).describe('How old a reading of those pages may be.'),
      })
      .prefault({}),
  })
}

export type Config = z.infer<ReturnType<typeof configSchema>>

/** The JSON Schema by which editors complete and check `keyrung.yaml`. */
export function configJsonSchema(vendorNames: readonly string[]): object {
  const schema = z.toJSONSchema(configSchema(vendorNames), { io: 'input' })
  return { ...schema, title: 'keyrung.yaml', description: 'The configuration of a Keyrung gateway.' }
}

/** What is wrong with a configuration: one line a mistake, each with the file, the place, and what would be right. */
export class ConfigError extends Error {
  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.name = 'ConfigError'
  }
}

/**
 * Reads `keyrung.yaml`; a file that need not be there and is not gives the defaults. Throws ConfigError with every
 * mistake in it.
 */
export function readConfig(file: string, needed: boolean, vendorNames: readonly string[]): Config {
  if (!existsSync(file)) {
    if (needed) throw new ConfigError([`${file}: there is no such file.`])
    return configSchema(vendorNames).parse({})
  }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError([`${file}: cannot be read (${error instanceof Error ? error.message : String(error)}).`])
  }
  return parseConfig(text, file, vendorNames)
}

/** The configuration in this text. Throws ConfigError. */
export function parseConfig(text: string, file: string, vendorNames: readonly string[]): Config {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0])
        return `${file}:${line}:${col}: ${error.message}`
      }),
    )
  }
  // The input tells what is missing from what is wrong; it is never shown.
  const result = configSchema(vendorNames).safeParse(valueOf(document, file) ?? {}, { reportInput: true })
  const source: Source = { document, lines, file, schema: configJsonSchema(vendorNames) }
  if (!result.success) throw new ConfigError(result.error.issues.flatMap((issue) => describe(issue, source)))
  const config = result.data
  texts.set(config, source)
  const problem = adaptiveProblem(config.adaptiveConcurrency)
  if (problem !== undefined) throw new ConfigError([`${settingAt(config, file, ['adaptiveConcurrency'])}: ${problem}.`])
  return config
}

/** The texts that configurations were read from. */
const texts = new WeakMap<Config, Source>()

/**
 * How a message about the value of a setting begins: `keyrung.yaml:3:5: ladders.mine.rungs.0`. A configuration that was not
 * read from a text has no lines, and is told by its file alone.
 */
export function settingAt(config: Config, file: string, path: readonly (string | number)[]): string {
  const source = texts.get(config)
  return `${source === undefined ? file : place(path, source, 'value')}: ${path.join('.')}`
}

/** The value of a document without errors of form; an alias without its anchor shows only here. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw new ConfigError([`${file}: ${error instanceof Error ? error.message : String(error)}`])
  }
}

/** The text that a mistake stands in, and what may stand there. */
interface Source {
  document: Document
  lines: LineCounter
  file: string
  schema: object
}

function describe(issue: z.core.$ZodIssue, source: Source): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key]
      return `${place(path, source)}: ${path.join('.')}: there is no such setting.${known(issue.path, source.schema)}`
    })
  }
  const inner = issue.code === 'invalid_union' ? meant(issue) : []
  if (inner.length > 0) {
    return inner.flatMap((one) => describe({ ...one, path: [...issue.path, ...one.path] }, source))
  }
  return [`${place(issue.path, source)}: ${issue.path.join('.') || 'the file'}: ${rule(issue)}.`]
}

/** Of several kinds that a value may be, what is wrong with it as the one that it is; nothing where it is none of them. */
function meant({ errors }: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  const isOther = (issue: z.core.$ZodIssue): boolean =>
    issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
  return errors.find((issues) => !issues.some(isOther)) ?? []
}

/** Issues carry no list of what is allowed, so the JSON Schema is asked. */
function known(path: readonly PropertyKey[], schema: object): string {
  let at: object[] = [schema]
  for (const part of path) at = at.flatMap((one) => below(one, String(part)))
  const names = new Set(at.flatMap(ways).flatMap((one) => Object.keys(objectIn(one, 'properties'))))
  return names.size === 0 ? '' : ` Known here: ${[...names].join(', ')}.`
}

/** The schemas of what stands under this name or number. */
function below(schema: object, name: string): object[] {
  return ways(schema).flatMap((one) => {
    const inner: unknown = objectIn(one, 'properties')[name]
    return isObject(inner) ? inner : [objectIn(one, 'additionalProperties'), objectIn(one, 'items')]
  })
}

/** A schema, and those of which one is enough. */
function ways(schema: object): object[] {
  return [schema, ...Object.values(objectIn(schema, 'anyOf')).filter(isObject)]
}

function objectIn(value: object, key: string): Record<string, unknown> {
  const found: unknown = Reflect.get(value, key)
  return isObject(found) ? (found as Record<string, unknown>) : {}
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? `is missing; it ${kind(issue.expected)}` : kind(issue.expected)
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'invalid_union':
      return `must be ${issue.errors
        .flatMap((issues) => issues.slice(0, 1))
        .map((one) => rule(one).replace('must be ', ''))
        .join(' or ')}`
    case 'invalid_key':
      return `the name ${issue.issues.map(rule).join(', and ')}`
    case 'too_small':
      return bound('at least', Number(issue.minimum), issue.origin)
    case 'too_big':
      return bound('at most', Number(issue.maximum), issue.origin)
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an http or https URL' : issue.message
    default:
      return issue.message
  }
}

function kind(expected: string): string {
  const words: Readonly<Record<string, string>> = { int: 'a whole number', array: 'a list', record: 'of type object' }
  return `must be ${words[expected] ?? `of type ${expected}`}`
}

function bound(word: 'at least' | 'at most', limit: number, origin: string): string {
  const things: Readonly<Record<string, readonly [one: string, more: string]>> = {
    array: ['entry', 'entries'],
    string: ['character', 'characters'],
  }
  const [one, more] = things[origin] ?? []
  return one === undefined ? `must be ${word} ${limit}` : `must have ${word} ${limit} ${limit === 1 ? one : more}`
}

/** File, line and column of what stands at this path, or of the nearest thing that is there. Its key is where a reader looks first. */
function place(
  path: readonly PropertyKey[],
  { document, lines, file }: Source,
  which: 'key' | 'value' = 'key',
): string {
  let value: unknown = document.contents
  let shown = value
  for (const part of path) {
    const [key, inner] = entry(isAlias(value) ? value.resolve(document) : value, String(part))
    if (key === undefined && inner === undefined) break
    value = inner
    shown = which === 'key' ? (key ?? inner) : (inner ?? key)
  }
  if (!isNode(shown) || !shown.range) return file
  const { line, col } = lines.linePos(shown.range[0])
  return `${file}:${line}:${col}`
}

/** The nodes of a key and its value in a map, or of an entry in a list. */
function entry(parent: unknown, part: string): readonly [key?: unknown, value?: unknown] {
  if (isSeq(parent)) return [undefined, parent.items[Number(part)]]
  if (!isMap(parent)) return []
  const pair = parent.items.find((item) => String(item.key) === part)
  return [pair?.key, pair?.value]
}
