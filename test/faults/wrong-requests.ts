/** A request that breaks a rule, and what must be said of it before any vendor is asked. */
export interface Wrong {
  says: string
  /** Set over a request that is right; undefined leaves a field out. */
  changes: Record<string, unknown>
  message: RegExp
  /** The SDK itself stumbles over it, so it comes by HTTP alone. */
  unsendable?: true
  /** Right in its dialect, but not to be had from this vendor. */
  kind?: 'unsupported'
  /** OpenAI's `param` and `code`. */
  param?: string | null
  code?: string | null
  /** Only for callers of a vendor who speaks another dialect: the dialect's own vendor allows it, or may know it by now. */
  elsewhere?: true
}

const user = { role: 'user', content: 'Hello' }
const weather = { name: 'weather', input_schema: { type: 'object', properties: {} } }
const call = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'sun' }

/** In Anthropic's words: the path, a colon, the rule. */
export const anthropicWrongs: readonly Wrong[] = [
  { says: 'no model', changes: { model: undefined }, message: /^model: Field required/ },
  { says: 'a model that is a number', changes: { model: 5 }, message: /^model: Input should be a valid string/ },
  { says: 'no max_tokens', changes: { max_tokens: undefined }, message: /^max_tokens: Field required/ },
  {
    says: 'max_tokens of zero, which Anthropic alone has a use for',
    changes: { max_tokens: 0 },
    message: /max_tokens/,
    kind: 'unsupported',
    elsewhere: true,
  },
  {
    says: 'negative max_tokens',
    changes: { max_tokens: -1 },
    message: /^max_tokens: Input should be greater than or equal to [01]/,
  },
  {
    says: 'max_tokens as text',
    changes: { max_tokens: '100' },
    message: /^max_tokens: Input should be a valid integer/,
  },
  {
    says: 'max_tokens with a fraction',
    changes: { max_tokens: 1.5 },
    message: /^max_tokens: Input should be a valid integer/,
  },
  { says: 'no messages', changes: { messages: undefined }, message: /^messages: Field required/ },
  { says: 'messages as text', changes: { messages: 'Hello' }, message: /^messages: Input should be a valid list/ },
  { says: 'empty messages', changes: { messages: [] }, message: /^messages: at least one message is required/ },
  {
    says: 'a message that is a text',
    changes: { messages: ['Hello'] },
    message: /^messages\.0: Input should be a valid dictionary/,
  },
  {
    says: 'a message without a role',
    changes: { messages: [{ content: 'Hello' }] },
    message: /^messages\.0\.role: Field required/,
  },
  {
    says: "OpenAI's role of a tool",
    changes: { messages: [user, { role: 'tool', content: 'sun' }] },
    message: /^messages\.1\.role: Input should be 'user' or 'assistant'/,
  },
  {
    says: 'a role that nobody knows',
    changes: { messages: [{ role: 'robot', content: 'Hello' }] },
    message: /^messages\.0\.role: /,
    elsewhere: true,
  },
  {
    says: 'a message without content',
    changes: { messages: [{ role: 'user' }] },
    message: /^messages\.0\.content: Field required/,
  },
  {
    says: 'content that is a number',
    changes: { messages: [{ role: 'user', content: 5 }] },
    message: /^messages\.0\.content: Input should be a valid (list|string)/,
  },
  {
    says: 'an empty text',
    changes: { messages: [{ role: 'user', content: '' }] },
    message: /^messages\.0: all messages must have non-empty content/,
  },
  {
    says: 'empty content',
    changes: { messages: [{ role: 'user', content: [] }] },
    message: /^messages\.0: all messages must have non-empty content/,
  },
  {
    says: 'an empty block of text',
    changes: { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] },
    message: /^messages: text content blocks must be non-empty/,
  },
  {
    says: 'a block without a type',
    changes: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
    message: /^messages\.0\.content\.0\.type: Field required/,
  },
  {
    says: 'a block of text without text',
    changes: { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    message: /^messages\.0\.content\.0\.text(\.text)?: Field required/,
  },
  {
    says: "OpenAI's image",
    changes: {
      messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }],
    },
    message: /^messages\.0\.content\.0: Input tag 'image_url'/,
  },
  {
    says: 'a result without its call',
    changes: { messages: [{ role: 'user', content: [result] }] },
    message: /^messages\.0\.content.*: unexpected `tool_use_id` found in `tool_result` blocks: toolu_1/,
  },
  {
    says: 'a call without its result',
    changes: { tools: [weather], messages: [user, { role: 'assistant', content: [call] }, user] },
    message: /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1/,
  },
  {
    says: 'a call whose input is text',
    changes: {
      tools: [weather],
      messages: [user, { role: 'assistant', content: [{ ...call, input: '{}' }] }, { role: 'user', content: [result] }],
    },
    message: /^messages\.1\.content\.0\.tool_use\.input: Input should be a valid dictionary/,
  },
  {
    says: 'tools that are no list',
    changes: { tools: weather },
    message: /^tools: Input should be a valid list/,
    unsendable: true,
  },
  {
    says: 'a tool without a name',
    changes: { tools: [{ ...weather, name: undefined }] },
    message: /^tools\.0\.custom\.name: Field required/,
  },
  {
    says: 'a tool with a blank in its name',
    changes: { tools: [{ ...weather, name: 'the weather' }] },
    message: /^tools\.0\.custom\.name: String should match pattern/,
  },
  {
    says: 'a tool without a schema',
    changes: { tools: [{ name: 'weather' }] },
    message: /^tools\.0\.custom\.input_schema: Field required/,
  },
  {
    says: 'a schema without a type',
    changes: { tools: [{ ...weather, input_schema: {} }] },
    message: /^tools\.0\.custom\.input_schema\.type: Field required/,
  },
  {
    says: 'a schema of a text',
    changes: { tools: [{ ...weather, input_schema: { type: 'string' } }] },
    message: /^tools\.0\.custom\.input_schema\.type: Input should be 'object'/,
  },
  {
    says: 'two tools of one name',
    changes: { tools: [weather, weather] },
    message: /^tools: Tool names must be unique/,
  },
  {
    says: "OpenAI's tool",
    changes: { tools: [{ type: 'function', function: { name: 'weather' } }] },
    message: /^tools\.0: Input tag 'function'/,
  },
  {
    says: 'a temperature above the scale',
    changes: { temperature: 1.5 },
    message: /^temperature: Input should be less than or equal to 1/,
  },
  { says: 'stream as text', changes: { stream: 'yes' }, message: /^stream: Input should be a valid boolean/ },
  { says: 'system as a number', changes: { system: 5 }, message: /^system: Input should be a valid (list|string)/ },
]

const functionTool = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }
const functionCall = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{}' } }

/** In OpenAI's words. */
export const openaiWrongs: readonly Wrong[] = [
  { says: 'no model', changes: { model: undefined }, ...missing('model') },
  { says: 'a model that is a number', changes: { model: 5 }, ...wrongType('model', 'a string', 'an integer') },
  { says: 'no messages', changes: { messages: undefined }, ...missing('messages') },
  {
    says: 'messages as text',
    changes: { messages: 'Hello' },
    ...wrongType('messages', 'an array of objects', 'a string'),
  },
  {
    says: 'empty messages',
    changes: { messages: [] },
    message:
      /^Invalid 'messages': empty array\. Expected an array with minimum length 1, but got an empty array instead\./,
    param: 'messages',
    code: 'empty_array',
  },
  {
    says: 'a message that is a text',
    changes: { messages: ['Hello'] },
    ...wrongType('messages[0]', 'an object', 'a string'),
  },
  { says: 'a message without a role', changes: { messages: [{ content: 'Hello' }] }, ...missing('messages[0].role') },
  {
    says: 'a role that nobody knows',
    changes: { messages: [{ role: 'robot', content: 'Hello' }] },
    message: /^Invalid value: 'robot'\. Supported values are: 'system', /,
    param: 'messages[0].role',
    code: 'invalid_value',
    elsewhere: true,
  },
  {
    says: 'a message without content',
    changes: { messages: [{ role: 'user' }] },
    message: /content/,
    param: 'messages[0].content',
  },
  {
    says: 'content that is a number',
    changes: { messages: [{ role: 'user', content: 5 }] },
    message: /^Invalid type for 'messages\[0\]\.content': expected .*, but got an integer instead\./,
    param: 'messages[0].content',
    code: 'invalid_type',
  },
  {
    says: 'a part without a type',
    changes: { messages: [{ role: 'user', content: [{ text: 'Hello' }] }] },
    ...missing('messages[0].content[0].type'),
  },
  {
    says: 'a part of text without text',
    changes: { messages: [{ role: 'user', content: [{ type: 'text' }] }] },
    ...missing('messages[0].content[0].text'),
  },
  {
    says: 'a result without its call',
    changes: { messages: [user, { role: 'tool', tool_call_id: 'call_1', content: 'sun' }] },
    message:
      /^Invalid parameter: messages with role 'tool' must be a response to a prece+ding message with 'tool_calls'\./,
    param: 'messages[1].role',
    code: null,
  },
  {
    says: 'a call without its result',
    changes: { tools: [functionTool], messages: [user, { role: 'assistant', tool_calls: [functionCall] }, user] },
    message:
      /^An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'\. .*call_1/,
    code: null,
  },
  {
    says: 'a call whose arguments are no text',
    changes: {
      tools: [functionTool],
      messages: [
        user,
        { role: 'assistant', tool_calls: [{ ...functionCall, function: { name: 'weather', arguments: {} } }] },
        { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
      ],
    },
    ...wrongType('messages[1].tool_calls[0].function.arguments', 'a string', 'an object'),
  },
  ...['max_tokens', 'max_completion_tokens'].flatMap((field): Wrong[] => [
    { says: `${field} of zero`, changes: { [field]: 0 }, ...belowMin(field, 0) },
    { says: `negative ${field}`, changes: { [field]: -5 }, ...belowMin(field, -5) },
    { says: `${field} as text`, changes: { [field]: '100' }, ...wrongType(field, 'an integer', 'a string') },
    { says: `${field} with a fraction`, changes: { [field]: 1.5 }, ...wrongType(field, 'an integer', 'a decimal') },
  ]),
  {
    says: 'tools that are no list',
    changes: { tools: functionTool },
    message: /^Invalid type for 'tools': expected an array/,
    param: 'tools',
    code: 'invalid_type',
  },
  {
    says: 'a tool without a type',
    changes: { tools: [{ function: functionTool.function }] },
    ...missing('tools[0].type'),
  },
  { says: "Anthropic's tool", changes: { tools: [weather] }, ...missing('tools[0].type') },
  { says: 'a tool without its function', changes: { tools: [{ type: 'function' }] }, ...missing('tools[0].function') },
  {
    says: 'a function without a name',
    changes: { tools: [{ type: 'function', function: {} }] },
    ...missing('tools[0].function.name'),
  },
  {
    says: 'a function with a blank in its name',
    changes: { tools: [{ type: 'function', function: { name: 'the weather' } }] },
    message: /^Invalid 'tools\[0\]\.function\.name': string does not match pattern/,
    param: 'tools[0].function.name',
    code: 'invalid_value',
  },
  {
    says: 'a schema of a text',
    changes: { tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'string' } } }] },
    message:
      /^Invalid schema for function 'weather': schema must be a JSON Schema of 'type: "object"', got 'type: "string"'\./,
    param: 'tools[0].function.parameters',
    code: 'invalid_function_parameters',
  },
  {
    says: 'a temperature above the scale',
    changes: { temperature: 2.5 },
    message: /^Invalid 'temperature': decimal above maximum value\. Expected a value <= 2, but got 2\.5 instead\./,
    param: 'temperature',
    code: 'decimal_above_max_value',
  },
  { says: 'stream as text', changes: { stream: 'yes' }, ...wrongType('stream', 'a boolean', 'a string') },
]

/** Above the largest: each dialect's own vendor knows its models. */
export const tooMany = {
  anthropic: {
    model: 'claude-sonnet-5',
    changes: { max_tokens: 128_001 },
    message: /^max_tokens: 128001 > 128000, which is the maximum allowed number of output tokens for claude-sonnet-5/,
  },
  openai: {
    model: 'gpt-4.1',
    changes: { max_tokens: 32_769 },
    message:
      /^max_tokens is too large: 32769\. This model supports at most 32768 completion tokens, whereas you provided 32769\./,
  },
} as const

type Words = Pick<Wrong, 'message' | 'param' | 'code'>

function missing(path: string): Words {
  return { message: literal(`Missing required parameter: '${path}'.`), param: path, code: 'missing_required_parameter' }
}

function wrongType(path: string, expected: string, got: string): Words {
  return {
    message: literal(`Invalid type for '${path}': expected ${expected}, but got ${got} instead.`),
    param: path,
    code: 'invalid_type',
  }
}

function belowMin(path: string, got: number): Words {
  return {
    message: literal(`Invalid '${path}': integer below minimum value. Expected a value >= 1, but got ${got} instead.`),
    param: path,
    code: 'integer_below_min_value',
  }
}

function literal(text: string): RegExp {
  return new RegExp(`^${text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)}`)
}
