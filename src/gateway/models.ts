import type { IncomingHttpHeaders } from 'node:http'
import { Failure } from '../core/failure.ts'
import type { JsonObject } from '../core/json.ts'
import type { Caller } from '../core/caller.ts'
import type { Plan } from '../core/plan.ts'
import type { Snapshot } from '../core/snapshot.ts'
import type { Model } from '../core/vendor.ts'
import { mayUse, modelNotAllowed } from './rights.ts'
import { ladderPrefix, resolve } from './route.ts'

const pageDefault = 20
const pageMax = 1000

/** Does the asking SDK speak Anthropic's dialect? Its own headers tell; nothing else does for a GET. */
export function asksLikeAnthropic(headers: IncomingHttpHeaders): boolean {
  return headers['anthropic-version'] !== undefined || headers['x-api-key'] !== undefined
}

/** GET /v1/models, in the shape of the asking SDK. Throws Failure `request-invalid` for a page that cannot be. */
export function listModels(snapshot: Snapshot, who: Who, anthropic: boolean, query: URLSearchParams): JsonObject {
  const entries = available(snapshot, who)
  if (!anthropic) return { object: 'list', data: entries.map((entry) => openaiModel(entry)) }
  const limit = Number(query.get('limit') ?? pageDefault)
  if (!Number.isInteger(limit) || limit < 1 || limit > pageMax) {
    throw new Failure('request-invalid', `limit: must be a whole number from 1 to ${pageMax}.`, { path: 'limit' })
  }
  const { page, more } = pageOf(entries, limit, query)
  return {
    data: page.map((entry) => anthropicModel(entry)),
    has_more: more,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  }
}

/** GET /v1/models/{id}. Throws Failure `model-unknown`. */
export function showModel(snapshot: Snapshot, who: Who, anthropic: boolean, id: string): JsonObject {
  const entry = ladders(snapshot, who).find((one) => one.id === id) ?? plainEntry(snapshot, id)
  if (!mayUse(entry.model, who.caller, who.plan)) throw modelNotAllowed(id.slice(0, 100), who.plan)
  return anthropic ? anthropicModel(entry) : openaiModel(entry)
}

function plainEntry(snapshot: Snapshot, id: string): Entry {
  const { model, setup } = resolve(snapshot, id)
  return { id, model, owner: setup.vendor.name }
}

/** Who asks. */
interface Who {
  caller: Caller
  plan: Plan
}

interface Entry {
  id: string
  model: Model
  owner: string
}

/** The catalogue's models of the vendors that can answer, and the operator's aliases. */
function available(snapshot: Snapshot, who: Who): Entry[] {
  const entries: Entry[] = []
  const add = (id: string, model: Model): void => {
    const credentials = snapshot.vendors.get(model.vendor)?.credentials ?? []
    if (credentials.length > 0 && mayUse(model, who.caller, who.plan)) entries.push({ id, model, owner: model.vendor })
  }
  for (const alias of snapshot.aliases.keys()) add(alias, resolve(snapshot, alias).model)
  for (const model of snapshot.models.values()) add(model.id, model)
  return [...entries, ...ladders(snapshot, who)]
}

/** Ladders by the names under which they are asked, with the facts of their first rung. */
function ladders(snapshot: Snapshot, { caller, plan }: Who): Entry[] {
  return [...snapshot.ladders.values()].flatMap(({ name, levels }) => {
    const model = levels.find((level) => mayUse(level.model, caller, plan))?.model
    return model === undefined
      ? []
      : {
          id: `${ladderPrefix}${name}`,
          model: { ...model, name: `Ladder ${name}, from ${model.name ?? model.id}` },
          owner: 'keyrung',
        }
  })
}

function pageOf(entries: Entry[], limit: number, query: URLSearchParams): { page: Entry[]; more: boolean } {
  const after = query.get('after_id')
  const before = query.get('before_id')
  if (before !== null) {
    const end = Math.max(
      0,
      entries.findIndex((entry) => entry.id === before),
    )
    return { page: entries.slice(Math.max(0, end - limit), end), more: end > limit }
  }
  const start = after === null ? 0 : entries.findIndex((entry) => entry.id === after) + 1
  return { page: entries.slice(start, start + limit), more: entries.length > start + limit }
}

function anthropicModel({ id, model }: Entry): JsonObject {
  return {
    type: 'model',
    id,
    display_name: model.name ?? id,
    created_at: `${model.created ?? '1970-01-01'}T00:00:00Z`,
    max_input_tokens: model.window ?? null,
    max_tokens: model.outputMax ?? null,
    // Newer SDKs read them, and with strict validation demand them.
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    capabilities: null,
    line: null,
  }
}

function openaiModel({ id, model, owner }: Entry): JsonObject {
  return {
    id,
    object: 'model',
    created: Date.parse(`${model.created ?? '1970-01-01'}T00:00:00Z`) / 1000,
    owned_by: owner,
  }
}
