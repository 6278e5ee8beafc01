import { configSchema } from '../../../src/control/config.ts'
import { publish, type CredentialSetting } from '../../../src/control/publish.ts'
import { Body } from '../../../src/core/body.ts'
import type { Call } from '../../../src/core/call.ts'
import { Failure } from '../../../src/core/failure.ts'
import type { Ladder, Rung } from '../../../src/core/ladder.ts'
import type { Snapshot } from '../../../src/core/snapshot.ts'
import type { Model, Vendor } from '../../../src/core/vendor.ts'
import { dialects } from '../../../src/dialects/index.ts'
import { originOf, type CallSpec, type Scene } from './scene.ts'
import { unlimited } from '../../support/bare.ts'

/** How the one ladder of a simulation is asked for. */
export const ladderModel = 'ladder/test'

/** Tokens: a long prompt has twice as many as a narrow window holds. */
const narrowTokens = 500
const longText = 'word '.repeat(1200)

/** The settings of a scene as calls get them, checked as an operator's would be. Throws ConfigError. */
export function snapshotOf({ vendors, config, rungs, hedgeAfterMs }: Scene): Snapshot {
  const names = vendors.map(({ name }) => name)
  const hedge = hedgeAfterMs === undefined ? {} : { hedgeAfterMs }
  return publish({
    config: configSchema(names).parse({ ...config, shippedLadders: false, ladders: { test: { rungs, ...hedge } } }),
    file: 'scene',
    callers: new Map(),
    declared: new Map(),
    plans: [unlimited],
    digest: () => Buffer.alloc(0),
    vendors: names.map(vendorOf),
    models: vendors.flatMap(({ name, models }) =>
      models.map((model): Model => ({
        id: model.id,
        vendor: name,
        ...(model.narrow && { window: narrowTokens }),
        ...(model.plain && { takes: [] }),
        ...(model.strict && { refuses: ['sampling'] }),
      })),
    ),
    shippedLadders: [],
    dialects,
    credentials: new Map(vendors.map(({ name, keys }) => [name, keys.map(credentialOf)])),
    origins: new Map(),
    sandboxOrigin: undefined,
  })
}

function credentialOf(key: Scene['vendors'][number]['keys'][number]): CredentialSetting {
  const { name, weight = 1, origin, callsMax } = key
  return { name, secret: `secret-of-${name}`, from: 'scene', weight, origin, callsMax }
}

/** A place by its name, as in a scene. */
export function placeName({ vendor, model, credential }: Rung): string {
  return `${vendor.name}/${model.id}#${credential.name}`
}

/** A vendor that speaks the callers' dialect. */
function vendorOf(name: string): Vendor {
  return {
    name,
    title: name,
    origin: originOf(name),
    keyNames: [],
    models: /^$/,
    speaks: { 'openai-chat': '/v1' },
    choose: () => 'openai-chat',
    authorize: (secret) => ({ authorization: secret }),
    adjust(request, model) {
      const kind = refusedAs(model, { tools: request['tools'] !== undefined, seed: request['seed'] !== undefined })
      if (kind !== undefined) throw new Failure(kind, `${model.id} does not take it.`, { model: model.id })
      return {}
    },
  }
}

function refusedAs(
  { takes, refuses }: Model,
  { tools, seed }: Pick<CallSpec, 'tools' | 'seed'>,
): 'unsupported' | 'request-invalid' | undefined {
  if (tools === true && takes !== undefined) return 'unsupported'
  return seed === true && refuses !== undefined ? 'request-invalid' : undefined
}

/** Why the request cannot be written for this rung, if it cannot: what the gateway must find by itself. */
export function unfitAs(
  spec: CallSpec,
  { model, level }: Rung,
  { rungs }: Ladder,
): 'unsupported' | 'request-invalid' | 'prompt-too-long' | undefined {
  // Where no other model has a larger window, this one is the vendor's to judge.
  const isWiderElsewhere = rungs.some((other) => other.level !== level && other.model.window === undefined)
  if (spec.long === true && model.window !== undefined && isWiderElsewhere) return 'prompt-too-long'
  return refusedAs(model, spec)
}

const made = new Map<string, Call>()

/** The request that a caller sends. */
export function callOf(spec: CallSpec): Call {
  const { model, stream, long = false, tools = false, seed = false } = spec
  const key = [model, stream, long, tools, seed].join(' ')
  const kept = made.get(key)
  if (kept !== undefined) return kept
  const json = {
    model,
    stream,
    messages: [{ role: 'user', content: long ? longText : 'Hello!' }],
    ...(tools && { tools: [] }),
    ...(seed && { seed: 1 }),
  }
  const body = new Body([Buffer.from(JSON.stringify(json))])
  const dialect = dialects['openai-chat']
  const call: Call = { dialect, purpose: 'generate', head: { model, stream }, json, body, headers: {} }
  made.set(key, call)
  return call
}
