import type Anthropic from '@anthropic-ai/sdk'
import { refuses, takes } from '../../src/core/vendor.ts'
import { models } from '../../src/vendors/index.ts'

/** One line of the table that the SDK tests go through: a model, and how callers of each dialect ask it to think. */
export interface Line {
  vendor: string
  model: string
  /** What an Anthropic caller sends; undefined for a model that cannot think. */
  thinking?: Anthropic.ThinkingConfigParam
  /** What an OpenAI caller sends. */
  effort?: 'high'
  /** From the catalogue. */
  image: boolean
  pdf: boolean
  schema: boolean
  stops: boolean
  samples: boolean
}

const adaptive = { type: 'adaptive', display: 'summarized' } as const
const budget = { type: 'enabled', budget_tokens: 2048 } as const

/** Five vendors, and of each the ways of thinking that its models differ in. */
export const lines: readonly Line[] = [
  line('claude-sonnet-5', adaptive),
  line('claude-haiku-4-5', budget),
  line('gpt-5.6', adaptive),
  line('gpt-4.1', undefined),
  line('gemini-3.8-flash', adaptive),
  line('gemini-2.5-flash', budget),
  line('grok-4.7', adaptive),
  line('deepseek-flash', budget),
]

/** One model that thinks for each vendor. */
export const thinkers: readonly Line[] = lines.filter(({ thinking, model }) => {
  return thinking !== undefined && model !== 'gemini-2.5-flash'
})

function line(id: string, thinking: Line['thinking']): Line {
  const model = models.find((one) => one.id === id)
  if (model === undefined) throw new Error(`the catalogue has no ${id}`)
  return {
    vendor: model.vendor,
    model: id,
    ...(thinking === undefined ? {} : { thinking, effort: 'high' as const }),
    image: takes(model, 'image'),
    pdf: takes(model, 'pdf'),
    schema: takes(model, 'schema'),
    stops: !refuses(model, 'stop'),
    samples: !refuses(model, 'sampling'),
  }
}

/** Enough for a budget of 2048 and an answer. */
export const tokensMax = 4096

/** The arguments of the weather tool; the sandbox's models write `{"city":"city"}`. */
export const weatherSchema = {
  type: 'object' as const,
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

/** A schema for an answer; the sandbox's models write `{"city":"city","degrees":1.5}`. */
export const reportSchema = {
  type: 'object',
  properties: { city: { type: 'string' }, degrees: { type: 'number' } },
  required: ['city', 'degrees'],
  additionalProperties: false,
}

/** Everything that a text can lose on its way: characters of every width, line ends that only SSE knows, quotes. */
export const text = 'Grüße, 世界 👋🏽 “quoted” "plain" \\ back\u2028line\u2029end'

/** A PNG of one pixel. */
export const png = {
  base64: 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  said: /an image of type image\/png and 70 bytes/,
}

/** An image that only the vendor fetches. */
export const imageUrl = 'https://example.com/cat.png'

/** The smallest PDF that says something. */
export const pdf = {
  base64: Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n').toString('base64'),
  said: /a document of type application\/pdf and 69 bytes/,
}
