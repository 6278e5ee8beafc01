import { existsSync, readFileSync } from 'node:fs'
import { isMap, isNode, LineCounter, parseDocument, type Document } from 'yaml'
import * as z from 'zod'
import {
  adaptiveGroup,
  ladderConfig,
  ladderName,
  ladderRule,
  milliseconds,
  placeGroups,
  retryGroup,
} from './config-ladder.ts'

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

/** What `keyrung.yaml` may hold. Every default of the program is here, so that all of it can be set there. */
export function configSchema(vendorNames: readonly string[]) {
  const vendor = z
    .strictObject({
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
      .record(z.string().min(1), z.string().min(1))
      .default({})
      .describe('Model names of your own: each stands for a model or for vendor/model.'),
    keyPrefix: z
      .string()
      .regex(/^[A-Za-z][\w-]{0,19}$/, 'must be 1 to 20 letters, digits, - or _')
      .default('sk-aic-')
      .describe('How callers’ keys begin.'),
    keys: z
      .array(z.strictObject({ name: z.string().min(1).max(100), key: reference, ladder: ladderName.optional() }))
      .default([])
      .describe('Callers’ keys that you made yourself, by reference.'),
    ladders: z.record(ladderName, ladderConfig).default({}).describe('Models to try one after the other, by name.'),
    shippedLadders: z.boolean().default(true).describe('Offer the ladders that Keyrung brings along.'),
    ladderRules: z
      .array(ladderRule)
      .default([])
      .describe('Which ladder a model belongs to, where neither call nor key names one; the first that fits.'),
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
  const result = configSchema(vendorNames).safeParse(valueOf(document, file) ?? {})
  if (result.success) return result.data
  const source: Source = { document, lines, file, schema: configJsonSchema(vendorNames) }
  throw new ConfigError(result.error.issues.flatMap((issue) => describe(issue, source)))
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
  return [`${place(issue.path, source)}: ${issue.path.join('.') || 'the file'}: ${rule(issue)}.`]
}

/** Issues carry no list of what is allowed, so the JSON Schema is asked. */
function known(path: readonly PropertyKey[], schema: object): string {
  let at: unknown = schema
  for (const part of path) at = property(at, String(part))
  const names = Object.keys(objectIn(at, 'properties'))
  return names.length === 0 ? '' : ` Known here: ${names.join(', ')}.`
}

function property(schema: unknown, name: string): unknown {
  return objectIn(schema, 'properties')[name]
}

function objectIn(value: unknown, key: string): Record<string, unknown> {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {}
}

function rule(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`}`
    case 'too_small':
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an http or https URL' : issue.message
    default:
      return issue.message
  }
}

/** File, line and column of the value at this path, or of the nearest thing that is there. */
function place(path: readonly PropertyKey[], { document, lines, file }: Source): string {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const keys = path.slice(0, depth).map((part) => (typeof part === 'symbol' ? String(part) : part))
    const node: unknown = depth === 0 ? document.contents : (keyNode(document, keys) ?? document.getIn(keys, true))
    if (isNode(node) && node.range) {
      const { line, col } = lines.linePos(node.range[0])
      return `${file}:${line}:${col}`
    }
  }
  return file
}

/** The node of the last key itself, which is where a reader looks. */
function keyNode(document: Document, keys: (string | number)[]): unknown {
  const parent: unknown = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true)
  if (!isMap(parent)) return undefined
  const last = String(keys.at(-1))
  return parent.items.find((item) => String(item.key) === last)?.key
}
