import type { Caller } from '../core/caller.ts'
import { failures, type FailureKind } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import { ControlError, type ControlService, type Key, type ReceiptView, type UsageGroup } from './service.ts'

export interface MeOptions {
  readonly service: ControlService
  /** A key that the operator has declared, of which the service knows nothing. */
  readonly declared: (keyId: string) => Caller | undefined
  /** What is left of the key's limits, and when more comes. */
  readonly left: (keyId: string) => JsonObject
  readonly nowMs: () => number
}

export interface MeRequest {
  readonly method: string
  /** Below `/v1/me`, `` for itself. */
  readonly path: string
  readonly query: URLSearchParams
  readonly keyId: string
}

const dayMs = 86_400_000
/** A longer span of usage is the operator's to ask for. */
const daysMax = 92
const graceMsMax = 7 * dayMs

/**
 * What the holder of a key may ask about it: who it is, what is left, what was used, what happened to one of its calls, and a new
 * secret. Throws ControlError.
 */
export function answerMe({ method, path, query, keyId }: MeRequest, options: MeOptions): JsonObject {
  const { service, declared } = options
  if (method === 'POST' && path === '/rotate') {
    if (declared(keyId) !== undefined) throw fixedKey()
    const graceMs = wholeNumber(query, 'graceMs', 0, graceMsMax)
    const { key, secret } = service.keys.rotate(keyId, graceMs, { type: 'caller', id: keyId })
    return { key: keyOf(key), secret, shownOnce: true }
  }
  if (method !== 'GET' && method !== 'HEAD')
    throw new ControlError(404, 'path-unknown', `There is no ${method} /v1/me${path}.`)
  if (path === '') return meOf(declaredKey(declared(keyId)) ?? service.keys.get(keyId), options)
  if (path === '/usage') return usageOf(query, keyId, options)
  const request = /^\/requests\/([\w-]{1,64})$/.exec(path)?.[1]
  if (request !== undefined) return requestOf(request, keyId, service)
  throw new ControlError(404, 'path-unknown', `There is nothing at /v1/me${path}.`, {
    fix: 'There are /v1/me, /v1/me/usage, /v1/me/requests/ID and POST /v1/me/rotate.',
  })
}

/** What is told of a key; of one that is declared, nobody knows since when. */
type Told = Pick<
  Key,
  'id' | 'name' | 'owner' | 'plan' | 'state' | 'expiresAt' | 'models' | 'ladder' | 'formerUntil'
> & {
  readonly createdAt: number | undefined
}

function declaredKey(caller: Caller | undefined): Told | undefined {
  if (caller === undefined) return undefined
  const { id, name, owner, plan, state, models, ladder } = caller
  return {
    id,
    name,
    owner,
    plan,
    state,
    models,
    ladder,
    expiresAt: undefined,
    formerUntil: undefined,
    createdAt: undefined,
  }
}

function fixedKey(): ControlError {
  return new ControlError(409, 'key-declared', 'This key is declared in the configuration and has no other secret.', {
    fix: 'Ask the operator of this gateway for a new one.',
  })
}

function meOf(key: Told, { service, left }: MeOptions): JsonObject {
  const plan = service.plans.get(key.plan)
  return {
    object: 'key',
    ...keyOf(key),
    plan: {
      name: plan.name,
      models: plan.models === undefined ? null : [...plan.models],
      ladder: plan.ladder ?? null,
      upgradeUrl: plan.upgradeUrl ?? null,
    },
    limits: left(key.id),
  }
}

function keyOf(key: Told): JsonObject {
  return {
    id: key.id,
    name: key.name,
    owner: key.owner ?? null,
    state: key.state,
    expiresAt: time(key.expiresAt),
    formerUntil: time(key.formerUntil),
    models: key.models === undefined ? null : [...key.models],
    ladder: key.ladder ?? null,
    createdAt: time(key.createdAt),
  }
}

function usageOf(query: URLSearchParams, keyId: string, { service, nowMs }: MeOptions): JsonObject {
  const days = wholeNumber(query, 'days', 1, daysMax) ?? 30
  const today = Math.floor(nowMs() / dayMs) * dayMs
  const from = today - (days - 1) * dayMs
  const to = today + dayMs
  const by = query.get('by') ?? 'day'
  if (by !== 'day' && by !== 'model' && by !== 'status') {
    throw new ControlError(400, 'request-invalid', "by: must be 'day', 'model' or 'status'.", { path: 'by' })
  }
  const group: UsageGroup = by
  const rows = service.usage.query({ from, to, key: keyId, groupBy: [group] })
  return {
    object: 'list',
    from: time(from),
    to: time(to),
    data: rows.map(({ group: { [group]: value }, nanoDollars, ...sums }) => ({
      [group]: group === 'day' ? time(Number(value)) : (value ?? null),
      ...sums,
      nanoDollars,
    })),
  }
}

function requestOf(id: string, keyId: string, service: ControlService): JsonObject {
  const receipt = service.usage.receipt(id)
  // Another's call is told as one that never was.
  if (receipt === undefined || receipt.key !== keyId) {
    throw new ControlError(404, 'request-unknown', `There is no call ${id} of this key.`, {
      fix: 'A call is found within a second of its end; the id is in the header request-id of its answer.',
    })
  }
  return callOf(receipt)
}

/** What happened to a call, for the one who made it: what was tried, whose doing the failure was, and what would mend it. */
function callOf(receipt: ReceiptView): JsonObject {
  const { failure } = receipt
  const row = failure !== undefined && Object.hasOwn(failures, failure) ? failures[failure as FailureKind] : undefined
  return {
    object: 'call',
    id: receipt.id,
    clientId: receipt.clientId ?? null,
    status: receipt.status,
    failure: failure ?? null,
    blame: receipt.blame ?? null,
    cause: row?.cause ?? null,
    fix: row?.fix ?? null,
    modelAsked: receipt.modelAsked,
    model: receipt.model,
    vendor: receipt.vendor,
    ladder: receipt.ladder ?? null,
    simulated: receipt.simulated,
    stream: receipt.stream,
    // Which of the operator's keys and accounts were used is theirs.
    tries: receipt.tries.map(({ vendor, model, status, outcome, durationMs, waitMs, unfit, hedge }) => ({
      vendor,
      model,
      status,
      outcome,
      ms: durationMs,
      ...(waitMs !== undefined && { waitMs }),
      ...(unfit !== undefined && { unfit }),
      ...(hedge !== undefined && { hedge }),
    })),
    tokens: {
      input: receipt.inputTokens,
      output: receipt.outputTokens,
      cacheRead: receipt.cacheReadTokens,
      cacheWrite: receipt.cacheWriteTokens,
      thinking: receipt.thinkingTokens,
    },
    nanoDollars: receipt.nanoDollars ?? null,
    startedAt: time(receipt.startedAt),
    firstByteAt: time(receipt.firstByteAt),
    endedAt: time(receipt.endedAt),
  }
}

function time(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}

function wholeNumber(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new ControlError(400, 'request-invalid', `${name}: must be a whole number from ${least} to ${most}.`, {
    path: name,
  })
}
