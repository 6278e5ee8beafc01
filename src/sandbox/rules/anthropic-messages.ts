import { isObject, listOf, objectOf, textOf, table, type Json, type JsonObject } from '../../core/json.ts'
import { isBase64, shown, unknownKey, words, type Refusal, type Rules } from '../refusal.ts'
import { signed } from '../signature.ts'
import type { ClaudeFacts } from './anthropic-models.ts'

const blockFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  text: words('type text cache_control citations'),
  image: words('type source cache_control transformations'),
  document: words('type source cache_control citations context title'),
  search_result: words('type source title content citations cache_control'),
  thinking: words('type thinking signature'),
  redacted_thinking: words('type data'),
  tool_use: words('type id name input cache_control caller'),
  tool_result: words('type tool_use_id content is_error cache_control'),
})
const userBlocks = words('text image document search_result tool_result container_upload')
const assistantBlocks = words('text thinking redacted_thinking tool_use server_tool_use')
const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']
const sourceFields: Readonly<Record<string, ReadonlySet<string>>> = table({
  base64: words('type media_type data'),
  url: words('type url'),
  file: words('type file_id'),
  text: words('type media_type data'),
  content: words('type content'),
})

/** Anthropic's 400 of a broken rule: the path and what is wrong with it. */
export function invalid(message: string): Refusal {
  return { status: 400, type: 'invalid_request_error', message }
}

/** What Anthropic demands of `messages`: its blocks, and that calls and results stand where they belong. */
export function* anthropicMessageRules(json: JsonObject, facts: ClaudeFacts): Rules {
  const messages = listOf(json['messages'])
  for (const [index, entry] of messages.entries()) {
    yield* messageRules(objectOf(entry), index, { last: index === messages.length - 1, facts })
  }
  yield* toolOrder(json)
  const last = objectOf(messages.at(-1))
  if (last['role'] === 'assistant' && !facts.prefill) {
    yield invalid(
      'This model does not support assistant message prefill. The conversation must end with a user message.',
    )
  }
  if (objectOf(json['thinking'])['type'] === 'enabled') yield* thinkingFirst(messages)
  const marks = JSON.stringify([json['tools'], json['system'], messages]).split('"cache_control":{').length - 1
  if (marks > 4) yield invalid(`A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`)
}

function* messageRules(message: JsonObject, index: number, at: { last: boolean; facts: ClaudeFacts }): Rules {
  const path = `messages.${index}`
  const { role, content } = message
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    yield invalid(`${path}.role: Input should be 'user' or 'assistant'`)
  }
  if (role === 'system' && !at.facts.systemTurns) yield invalid(`${path}: role 'system' is not supported on this model`)
  const unknown = unknownKey(message, words('role content'))
  if (unknown !== undefined) yield invalid(`${path}.${unknown}: Extra inputs are not permitted`)
  if (content === undefined) yield invalid(`${path}.content: Field required`)
  if (typeof content !== 'string' && !Array.isArray(content)) {
    yield invalid(`${path}.content: Input should be a valid string`)
  }
  const final = at.last && role === 'assistant'
  const empty = typeof content === 'string' ? content === '' : listOf(content).length === 0
  if (empty && !final) {
    yield invalid(`${path}: all messages must have non-empty content except for the optional final assistant message`)
  }
  if (typeof content === 'string' && content !== '' && content.trim() === '') {
    yield invalid('messages: text content blocks must contain non-whitespace text')
  }
  for (const [position, block] of listOf(content).entries()) {
    yield* blockRules(block, `${path}.content.${position}`, role === 'assistant' ? assistantBlocks : userBlocks)
  }
}

function* blockRules(value: Json, path: string, allowed: ReadonlySet<string>): Rules {
  const block = objectOf(value)
  const type = textOf(block['type'])
  if (type === undefined) {
    yield invalid(`${path}.type: Field required`)
    return
  }
  // The results of server tools stand in assistant turns and are not simulated.
  if (!allowed.has(type) && !type.endsWith('_tool_result')) {
    yield invalid(
      `${path}: Input tag '${type}' found using 'type' does not match any of the expected tags: ${[...allowed].map((name) => `'${name}'`).join(', ')}`,
    )
  }
  const known = blockFields[type]
  const unknown = known === undefined ? undefined : unknownKey(block, known)
  if (unknown !== undefined) yield invalid(`${path}.${type}.${unknown}: Extra inputs are not permitted`)
  yield* cacheRules(block['cache_control'], `${path}.${type}`)
  switch (type) {
    case 'text':
      if (typeof block['text'] !== 'string') yield invalid(`${path}.text.text: Field required`)
      else if (block['text'] === '') yield invalid('messages: text content blocks must be non-empty')
      else if (block['text'].trim() === '')
        yield invalid('messages: text content blocks must contain non-whitespace text')
      return
    case 'image':
    case 'document':
      yield* sourceRules(block['source'], type, path)
      return
    case 'thinking':
      if (typeof block['thinking'] !== 'string') yield invalid(`${path}.thinking.thinking: Field required`)
      if (typeof block['signature'] !== 'string') yield invalid(`${path}.thinking.signature: Field required`)
      else if (!signed('anthropic', block['signature'], textOf(block['thinking']))) {
        yield invalid(`${path}: Invalid \`signature\` in \`thinking\` block`)
      }
      return
    case 'redacted_thinking':
      if (!signed('anthropic', textOf(block['data']) ?? '')) {
        yield invalid(`${path}: Invalid \`data\` in \`redacted_thinking\` block`)
      }
      return
    case 'tool_use':
      if (!/^[a-zA-Z0-9_-]+$/.test(textOf(block['id']) ?? '')) {
        yield invalid(`${path}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
      }
      if (!/^.{1,200}$/.test(textOf(block['name']) ?? '')) {
        yield invalid(`${path}.tool_use.name: String should have at least 1 character and at most 200`)
      }
      if (!isObject(block['input'])) yield invalid(`${path}.tool_use.input: Input should be a valid dictionary`)
      return
    case 'tool_result':
      yield* resultRules(block, path)
      return
  }
}

function* resultRules(block: JsonObject, path: string): Rules {
  if (typeof block['tool_use_id'] !== 'string') yield invalid(`${path}.tool_result.tool_use_id: Field required`)
  const { content } = block
  if (content !== undefined && typeof content !== 'string' && !Array.isArray(content)) {
    yield invalid(`${path}.tool_result.content: Input should be a valid string`)
  }
  for (const [index, inner] of listOf(content).entries()) {
    yield* blockRules(inner, `${path}.tool_result.content.${index}`, words('text image document search_result'))
  }
}

function* cacheRules(value: Json | undefined, path: string): Rules {
  if (value === undefined || value === null) return
  const mark = objectOf(value)
  if (mark['type'] !== 'ephemeral') yield invalid(`${path}.cache_control.type: Input should be 'ephemeral'`)
  if (mark['ttl'] !== undefined && mark['ttl'] !== '5m' && mark['ttl'] !== '1h') {
    yield invalid(`${path}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'`)
  }
}

function* sourceRules(value: Json | undefined, kind: 'image' | 'document', path: string): Rules {
  const source = objectOf(value)
  const type = textOf(source['type']) ?? ''
  const known = sourceFields[type]
  if (known === undefined || (kind === 'image' && (type === 'text' || type === 'content'))) {
    yield invalid(
      `${path}.${kind}.source: Input tag '${type}' found using 'type' does not match any of the expected tags`,
    )
  }
  const unknown = unknownKey(source, known ?? words(''))
  if (unknown !== undefined) yield invalid(`${path}.${kind}.source.${type}.${unknown}: Extra inputs are not permitted`)
  if (type === 'url' && textOf(source['url'])?.startsWith('https://') !== true) {
    yield invalid(`${path}.${kind}.source.url.url: Only HTTPS URLs are supported.`)
  }
  if (type === 'text' && source['media_type'] !== 'text/plain') {
    yield invalid(`${path}.document.source.text.media_type: Input should be 'text/plain'`)
  }
  if (type !== 'base64') return
  const types = kind === 'image' ? imageTypes : ['application/pdf']
  if (!types.includes(textOf(source['media_type']) ?? '')) {
    const wanted = types
      .map((name) => `'${name}'`)
      .join(', ')
      .replace(/, (?=[^,]*$)/, ' or ')
    yield invalid(`${path}.${kind}.source.base64.media_type: Input should be ${wanted}`)
  }
  if (!isBase64(textOf(source['data']) ?? '')) yield invalid(`${path}.${kind}.source.base64: invalid base64 data`)
}

interface MergedTurn {
  role: string
  index: number
  blocks: JsonObject[]
}

/** Turns as Anthropic sees them: neighbours of one role are one turn. */
function mergedTurns(messages: readonly Json[]): MergedTurn[] {
  const turns: MergedTurn[] = []
  for (const [index, entry] of messages.entries()) {
    const { role, content } = objectOf(entry)
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : listOf(content).map(objectOf)
    const last = turns.at(-1)
    if (last !== undefined && last.role === role) last.blocks.push(...blocks)
    else turns.push({ role: shown(role), index, blocks: [...blocks] })
  }
  return turns
}

function* toolOrder(json: JsonObject): Rules {
  const turns = mergedTurns(listOf(json['messages']))
  const seen = new Set<string>()
  for (const [position, turn] of turns.entries()) {
    const calls = idsOf(turn.blocks, 'tool_use', 'id')
    const previous = turns[position - 1]
    const asked = previous?.role === 'assistant' ? idsOf(previous.blocks, 'tool_use', 'id') : []
    const next = turns[position + 1]
    for (const id of calls) {
      if (seen.has(id)) yield invalid(`messages.${turn.index}: \`tool_use\` ids must be unique`)
      seen.add(id)
    }
    const answered = next?.role === 'user' ? idsOf(leadingResults(next.blocks), 'tool_result', 'tool_use_id') : []
    const missing = calls.filter((id) => !answered.includes(id))
    if (missing.length > 0) {
      yield invalid(
        `messages.${turn.index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      )
    }
    const results = idsOf(turn.blocks, 'tool_result', 'tool_use_id')
    const orphan = results.find((id) => !asked.includes(id))
    if (orphan !== undefined) {
      yield invalid(
        `messages.${turn.index}.content.0: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${orphan}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
      )
    }
    const twice = results.find((id, index) => results.indexOf(id) !== index)
    if (twice !== undefined) {
      yield invalid(
        `messages.${turn.index}.content: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${twice}`,
      )
    }
  }
}

/** Only results before anything else count as an answer to the calls. */
function leadingResults(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const end = blocks.findIndex((block) => block['type'] !== 'tool_result')
  return end === -1 ? blocks : blocks.slice(0, end)
}

function idsOf(blocks: readonly JsonObject[], type: string, field: string): string[] {
  return blocks.flatMap((block) => (block['type'] === type ? [textOf(block[field]) ?? ''] : []))
}

/** With thinking enabled, the assistant turn of the tool loop still open must begin with its thinking. */
function* thinkingFirst(messages: readonly Json[]): Rules {
  const turns = mergedTurns(messages)
  const last = turns.at(-1)
  const assistant = turns.at(-2)
  const open = last?.role === 'user' && last.blocks.some((block) => block['type'] === 'tool_result')
  if (!open || assistant?.role !== 'assistant') return
  const first = textOf(assistant.blocks[0]?.['type']) ?? ''
  if (first === 'thinking' || first === 'redacted_thinking') return
  yield invalid(
    `messages.${assistant.index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking`,
  )
}
