import { open, isSealed, seal } from '../../core/opaque.ts'
import { isObject, textOf, type Json, type JsonObject } from '../../core/json.ts'
import type { OpaqueState } from '../../core/prompt.ts'

/** The vendor whose encrypted reasoning stands in this dialect as it is. */
export const native = 'openai'

/** Stands in a sealed state's id where Anthropic's thinking was redacted, so that it goes back as what it was. */
export const redactedId = 'redacted'

/**
 * A state as `encrypted_content` of the item `itemId`. OpenAI binds its content to the id of its item: under another
 * id it travels sealed, with its own.
 */
export function encrypted(state: OpaqueState, itemId: string, redacted: boolean): string {
  if (state.vendor === native && (state.id === undefined || state.id === itemId)) return state.data
  return seal(redacted ? { ...state, id: redactedId } : state, native)
}

/**
 * The items for `vendor` in a request that is passed on: sealed states of its own are unsealed, other vendors' are
 * left out. Undefined where nothing has to change.
 */
export function purgeItems(items: readonly Json[], vendor: string): Json[] | undefined {
  let changed = false
  const kept = items.flatMap((item): Json[] => {
    const content = isObject(item) && item['type'] === 'reasoning' ? textOf(item['encrypted_content']) : undefined
    if (content === undefined || !isSealed(content)) return [item]
    changed = true
    const state = open(content, native)
    if (state.vendor !== vendor) return []
    const own: JsonObject = { ...(item as JsonObject), encrypted_content: state.data }
    if (state.id !== undefined) own['id'] = state.id
    return [own]
  })
  return changed ? kept : undefined
}
