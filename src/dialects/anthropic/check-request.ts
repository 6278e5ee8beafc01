import { Failure } from '../../core/failure.ts'
import { isObject, listOf, textOf, type Json, type JsonObject } from '../../core/json.ts'
import type { Model } from '../../core/vendor.ts'

/**
 * Finds what the Messages API would surely refuse, in its own words, before anybody is called. What it may have learnt
 * since (fields, roles, kinds of blocks) is let pass. Throws Failure `request-invalid`.
 */
export function checkRequest(json: JsonObject, model: Model, counting: boolean): void {
  if (!counting) checkTokensMax(json.max_tokens, model)
  // A thread's earlier turns are kept at Anthropic: what is sent may begin with a result or hold nothing.
  if (json.thread === undefined || json.thread === null) checkMessages(json.messages)
  checkSystem(json.system)
  checkSampling(json)
  checkTools(json.tools)
  if (json.stream !== undefined && json.stream !== null)
    wanted(typeof json.stream === 'boolean', 'stream', 'a valid boolean')
}

function checkTokensMax(value: Json | undefined, model: Model): void {
  if (value === undefined) throw invalid('max_tokens', 'Field required')
  if (typeof value !== 'number' || !Number.isInteger(value))
    throw invalid('max_tokens', 'Input should be a valid integer')
  if (value < 0) throw invalid('max_tokens', 'Input should be greater than or equal to 0')
  if (model.outputMax !== undefined && value > model.outputMax && model.vendor === 'anthropic') {
    throw invalid(
      'max_tokens',
      `${value} > ${model.outputMax}, which is the maximum allowed number of output tokens for ${model.id}`,
    )
  }
}

function checkMessages(value: Json | undefined): void {
  if (value === undefined) throw invalid('messages', 'Field required')
  if (!Array.isArray(value)) throw invalid('messages', 'Input should be a valid list')
  if (value.length === 0) throw invalid('messages', 'at least one message is required')
  value.forEach((message, index) => checkMessage(message, `messages.${index}`, index === value.length - 1))
  checkPairs(value)
}

function checkMessage(message: Json, path: string, last: boolean): void {
  if (!isObject(message)) throw invalid(path, 'Input should be a valid dictionary')
  const { role, content } = message
  if (role === undefined) throw invalid(`${path}.role`, 'Field required')
  if (typeof role !== 'string') throw invalid(`${path}.role`, 'Input should be a valid string')
  // Roles of other APIs, which people bring along; not any that this one may have since.
  if (role === 'developer' || role === 'tool' || role === 'function' || role === 'model') {
    throw invalid(`${path}.role`, "Input should be 'user' or 'assistant'")
  }
  if (content === undefined || content === null) throw invalid(`${path}.content`, 'Field required')
  if (typeof content !== 'string' && !Array.isArray(content))
    throw invalid(`${path}.content`, 'Input should be a valid list')
  if (content.length === 0 && !(last && role === 'assistant')) {
    throw invalid(path, 'all messages must have non-empty content except for the optional final assistant message')
  }
  if (Array.isArray(content)) content.forEach((block, index) => checkBlock(block, `${path}.content.${index}`))
}

function checkBlock(block: Json, path: string): void {
  if (!isObject(block)) throw invalid(path, 'Input should be a valid dictionary')
  if (block.type === undefined) throw invalid(`${path}.type`, 'Field required')
  switch (block.type) {
    case 'text':
      required(block, 'text', `${path}.text`)
      if (block.text === '') throw invalid('messages', 'text content blocks must be non-empty', `${path}.text`)
      return
    case 'image':
    case 'document':
      if (!isObject(block.source)) throw invalid(`${path}.${block.type}.source`, 'Field required')
      return
    case 'tool_use':
      required(block, 'id', `${path}.tool_use`)
      required(block, 'name', `${path}.tool_use`)
      if (block.input === undefined) throw invalid(`${path}.tool_use.input`, 'Field required')
      if (!isObject(block.input)) throw invalid(`${path}.tool_use.input`, 'Input should be a valid dictionary')
      return
    case 'tool_result':
      required(block, 'tool_use_id', `${path}.tool_result`)
      return
    case 'image_url':
    case 'input_text':
      throw invalid(path, `Input tag '${block.type}' found using 'type' does not match any of the expected tags`)
    default:
  }
}

/** Every call is answered at the start of the very next user turn, and nothing else is. */
function checkPairs(messages: readonly Json[]): void {
  let calls: string[] = []
  let callsAt = -1
  messages.forEach((message, index) => {
    if (!isObject(message) || (message.role !== 'user' && message.role !== 'assistant')) return
    const blocks = listOf(message.content).filter(isObject)
    if (message.role === 'assistant') {
      const made = blocks.filter((block) => block.type === 'tool_use').map((block) => textOf(block.id) ?? '')
      calls = callsAt === index - 1 && calls.length > 0 ? [...calls, ...made] : made
      callsAt = index
      return
    }
    const answered = blocks
      .filter((block) => block.type === 'tool_result')
      .map((block) => textOf(block.tool_use_id) ?? '')
    const orphan = answered.find((id) => !calls.includes(id))
    // Neighbouring user turns count as one: what the first left open, the second may answer.
    const next = messages.slice(index + 1).find((one) => isObject(one) && one.role !== 'system')
    const goesOn = isObject(next) && next.role === 'user'
    if (orphan !== undefined) {
      throw invalid(
        `messages.${index}.content`,
        `unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${shown(orphan)}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message`,
      )
    }
    const open = calls.filter((id) => !answered.includes(id))
    if (open.length > 0 && !goesOn) {
      throw invalid(
        `messages.${callsAt}`,
        `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.map((id) => shown(id)).join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message`,
      )
    }
    calls = goesOn ? open : []
  })
}

function checkSystem(value: Json | undefined): void {
  if (value === undefined || value === null || typeof value === 'string') return
  if (!Array.isArray(value)) throw invalid('system', 'Input should be a valid list')
}

function checkSampling(json: JsonObject): void {
  for (const [name, most] of [
    ['temperature', 1],
    ['top_p', 1],
  ] as const) {
    const value = json[name]
    if (value === undefined || value === null) continue
    if (typeof value !== 'number') throw invalid(name, 'Input should be a valid number')
    if (value < 0) throw invalid(name, 'Input should be greater than or equal to 0')
    if (value > most) throw invalid(name, `Input should be less than or equal to ${most}`)
  }
}

function checkTools(value: Json | undefined): void {
  if (value === undefined || value === null) return
  if (!Array.isArray(value)) throw invalid('tools', 'Input should be a valid list')
  const names = new Set<string>()
  value.forEach((tool, index) => {
    const path = `tools.${index}`
    if (!isObject(tool)) throw invalid(path, 'Input should be a valid dictionary')
    if (tool.type === 'function') {
      throw invalid(path, "Input tag 'function' found using 'type' does not match any of the expected tags")
    }
    if (tool.type !== undefined && tool.type !== null && tool.type !== 'custom') return
    checkCustomTool(tool, `${path}.custom`)
    if (names.has(tool.name as string)) throw invalid('tools', 'Tool names must be unique.')
    names.add(tool.name as string)
  })
}

function checkCustomTool(tool: JsonObject, path: string): void {
  required(tool, 'name', path)
  if (!/^[a-zA-Z0-9_-]{1,128}$/.test(tool.name as string)) {
    throw invalid(`${path}.name`, "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'")
  }
  const schema = tool.input_schema
  if (schema === undefined || schema === null) throw invalid(`${path}.input_schema`, 'Field required')
  if (!isObject(schema)) throw invalid(`${path}.input_schema`, 'Input should be a valid dictionary')
  if (schema.type === undefined) throw invalid(`${path}.input_schema.type`, 'Field required')
  if (schema.type !== 'object') throw invalid(`${path}.input_schema.type`, "Input should be 'object'")
}

function required(object: JsonObject, name: string, path: string): void {
  const value = object[name]
  if (value === undefined || value === null) throw invalid(`${path}.${name}`, 'Field required')
  if (typeof value !== 'string') throw invalid(`${path}.${name}`, 'Input should be a valid string')
}

function wanted(fits: boolean, path: string, what: string): void {
  if (!fits) throw invalid(path, `Input should be ${what}`)
}

/** An id as it may stand in a message. */
function shown(id: string): string {
  return id.slice(0, 64).replaceAll(/[^\w-]/g, '?')
}

/** In Pydantic's form, which is the API's: the path, a colon, the rule. */
function invalid(path: string, rule: string, field = path): Failure {
  return new Failure('request-invalid', `${path}: ${rule}`, { path: field })
}
