/** A request as a caller would send it. */
export interface Call {
  path: string
  body: Buffer
}

const question = 'What is a key ring for? Answer in two sentences, and name one thing that it is not for.'
const system = 'You are a helpful assistant who answers briefly and says so where something is not known.'

/** A call of about 300 bytes in Anthropic's dialect. */
export function anthropicCall(model: string, stream: boolean): Call {
  const messages = [{ role: 'user', content: question }]
  return call('/v1/messages', { model, max_tokens: 1024, ...(stream ? { stream } : {}), system, messages })
}

/** The same in OpenAI's chat dialect. */
export function chatCall(model: string, stream: boolean): Call {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: question },
  ]
  return call('/v1/chat/completions', { model, max_completion_tokens: 1024, ...(stream ? { stream } : {}), messages })
}

/** The same in the dialect of OpenAI's Responses. */
export function responsesCall(model: string, stream: boolean): Call {
  const fields = { model, max_output_tokens: 1024, ...(stream ? { stream } : {}) }
  return call('/v1/responses', { ...fields, instructions: system, input: question })
}

/** A long conversation in Anthropic's dialect: text blocks, tool calls and their results, escapes and many scripts. */
export function longAnthropicCall(model: string, bytes: number): Call {
  const messages: object[] = []
  let size = 0
  for (let turn = 0; size < bytes; turn += 1) {
    const added = turns(turn)
    messages.push(...added)
    size += Buffer.byteLength(JSON.stringify(added))
  }
  messages.push({ role: 'user', content: [{ type: 'text', text: question }] })
  return call('/v1/messages', { model, max_tokens: 1024, system: [{ type: 'text', text: system }], tools, messages })
}

const tools = [
  {
    name: 'read_file',
    description: 'Reads a file of the project.',
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  },
]

const code =
  'if (line.startsWith("\\t")) {\n\tconst path = "C:\\\\keys\\\\ring.txt"\n\treturn `${path}: "${line}"`\n}\n'
const prose = 'Der Schlüssel hängt am Ring – 鍵はリングに掛かっている。 Ключ на кольце. La clé est là, déjà prête. 🔑\n'
const plain =
  'The key hangs on the ring, the ring hangs on the hook, and the hook is by the door where it has always been. '

/** A question, a tool's use, its result and an answer: about 4 KB, different each time. */
function turns(turn: number): object[] {
  const id = `toolu_${String(turn).padStart(20, '0')}`
  return [
    {
      role: 'user',
      content: [
        { type: 'text', text: `Step ${turn}. ${plain.repeat(4)}` },
        { type: 'text', text: prose.repeat(2) },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: plain.repeat(3) + prose },
        { type: 'tool_use', id, name: 'read_file', input: { path: `src/ring-${turn}.ts` } },
      ],
    },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: id, content: code.repeat(10) }] },
    { role: 'assistant', content: [{ type: 'text', text: `${plain.repeat(5)}\n\n${prose}` }] },
  ]
}

function call(path: string, json: object): Call {
  return { path, body: Buffer.from(JSON.stringify(json)) }
}
