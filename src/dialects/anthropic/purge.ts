import type { Patch } from '../../core/dialect.ts'
import { isObject, listOf, type Json, type JsonObject } from '../../core/json.ts'
import { isSealed, open } from '../../core/opaque.ts'

/**
 * What must change of a request that is passed on in this dialect: thoughts that the vendor did not think itself. All
 * else stays as the caller wrote it.
 */
export function purge(json: JsonObject, vendor: string): Patch {
  const keep = vendor === 'anthropic' ? keepVerified : keepThought(vendor)
  let changed = false
  let lastCallsBare = false
  const messages: Json[] = []
  for (const message of listOf(json.messages)) {
    const blocks = isObject(message) && Array.isArray(message.content) ? message.content : undefined
    if (!isObject(message) || blocks === undefined) {
      messages.push(message)
      continue
    }
    const calls = blocks.some((block) => isObject(block) && block.type === 'tool_use')
    const kept = blocks.flatMap((block): Json[] => {
      if (!isObject(block)) return [block]
      const one = keep(block, calls)
      return one === undefined ? [] : [one]
    })
    const same = kept.length === blocks.length && kept.every((block, index) => block === blocks[index])
    if (message.role === 'assistant') lastCallsBare = calls && !same && !kept.some(isThinking)
    if (same) messages.push(message)
    else if (kept.length > 0) messages.push({ ...message, content: kept })
    changed ||= !same
  }
  if (!changed) return {}
  // With `enabled`, Anthropic demands thinking of its own at the start of the turn whose tool results now come; another
  // vendor wrote this one, so this one call goes without (see thinking.ts).
  const without = lastCallsBare && vendor === 'anthropic' && isObject(json.thinking) && json.thinking.type === 'enabled'
  return without ? { messages, thinking: { type: 'disabled' } } : { messages }
}

type Keep = (block: JsonObject, calls: boolean) => JsonObject | undefined

/** Anthropic verifies signatures: what another vendor thought, or nobody signed, would be a 400. */
const keepVerified: Keep = (block) => {
  if (block.type === 'redacted_thinking') return isSealed(block.data) ? undefined : block
  if (block.type !== 'thinking') return block
  if (isSealed(block.signature)) return undefined
  const empty = (block.thinking ?? '') === '' && (block.signature ?? '') === ''
  return empty ? undefined : block
}

/**
 * Others that speak this dialect (DeepSeek) get their own thoughts back as they gave them. Foreign ones they are
 * spared, save in turns with tool calls, where DeepSeek demands some thinking and verifies none.
 */
function keepThought(vendor: string): Keep {
  return (block, calls) => {
    if (block.type === 'redacted_thinking') return undefined
    if (block.type !== 'thinking') return block
    const state = typeof block.signature === 'string' ? open(block.signature, 'anthropic') : undefined
    if (state?.vendor === vendor) return { ...block, signature: state.data }
    return calls ? { ...block, signature: '' } : undefined
  }
}

function isThinking(block: Json): boolean {
  return isObject(block) && (block.type === 'thinking' || block.type === 'redacted_thinking')
}
