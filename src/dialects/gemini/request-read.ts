import type { Head } from '../../core/dialect.ts'
import { isObject, table, type Json, type JsonObject } from '../../core/json.ts'
import type { Extra, Format, Prompt, Sampling, Tool, ToolChoice } from '../../core/prompt.ts'
import { readContents, readSystem } from './contents-read.ts'
import { fields, invalid, many, number, spare, text } from './fields.ts'
import { jsonSchema } from './schema.ts'
import { readThinking } from './thinking.ts'

/** Fields that do not change what the model says. */
export const dropped: Readonly<Record<string, string>> = table({
  model: 'stands in the path',
  labels: 'for bills',
  store: 'for logs at Google',
  serviceTier: 'price and waiting time',
  mediaResolution: 'how many tokens an image costs',
})

/** Reads a GenerateContentRequest, or the one inside a CountTokensRequest. */
export function read(json: JsonObject, head: Head): Prompt {
  const outer = fields(json, 'body')
  const inner = outer['generateContentRequest']
  const at = inner === undefined ? '' : 'generateContentRequest.'
  const request = without(inner === undefined ? outer : fields(inner, 'generateContentRequest'), dropped)
  const { contents, systemInstruction, tools, toolConfig, safetySettings, generationConfig, ...rest } = request
  const extras: Extra[] = []
  spare(rest, at.slice(0, -1), extras)
  readSafety(safetySettings, `${at}safetySettings`, extras)
  const choice = readToolConfig(toolConfig, `${at}toolConfig`, extras)
  const declared = readTools(tools, `${at}tools`, extras)
  return {
    model: head.model,
    stream: head.stream,
    system: readSystem(systemInstruction, `${at}systemInstruction`, extras),
    turns: readContents(contents, `${at}contents`, extras),
    tools: choice.only === undefined ? declared : declared.filter((tool) => choice.only?.includes(tool.name)),
    ...(choice.toolChoice === undefined ? {} : { toolChoice: choice.toolChoice }),
    ...readOptions(generationConfig, `${at}generationConfig`, extras),
    extras,
  }
}

function readOptions(
  value: Json | undefined,
  at: string,
  extras: Extra[],
): Pick<Prompt, 'stops' | 'sampling' | 'tokensMax' | 'thinking' | 'effort' | 'format'> {
  if (value === undefined) return { stops: [], sampling: {} }
  const options = without(fields(value, at), dropped)
  for (const [name, means] of Object.entries(harmless)) if (means(options[name])) delete options[name]
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty, ...others } = options
  const { stopSequences, maxOutputTokens, thinkingConfig, ...formats } = others
  const { responseMimeType, responseSchema, responseJsonSchema, ...rest } = formats
  spare(rest, at, extras)
  const sampling: { [K in keyof Sampling]: Sampling[K] | undefined } = {
    temperature: number(temperature, `${at}.temperature`, { min: 0, max: 2 }),
    topP: number(topP, `${at}.topP`, { min: 0, max: 1 }),
    topK: number(topK, `${at}.topK`, { min: 1, whole: true }),
    seed: number(seed, `${at}.seed`, { whole: true }),
    presencePenalty: number(presencePenalty, `${at}.presencePenalty`, { min: -2, max: 2 }),
    frequencyPenalty: number(frequencyPenalty, `${at}.frequencyPenalty`, { min: -2, max: 2 }),
  }
  const tokensMax = number(maxOutputTokens, `${at}.maxOutputTokens`, { min: 1, whole: true })
  const format = readFormat(text(responseMimeType, `${at}.responseMimeType`), responseJsonSchema, responseSchema, at)
  return {
    stops: readStops(stopSequences, `${at}.stopSequences`),
    sampling: given(sampling),
    ...(tokensMax === undefined ? {} : { tokensMax }),
    ...(format === undefined ? {} : { format }),
    ...readThinking(thinkingConfig, `${at}.thinkingConfig`, extras),
  }
}

/** Options at the value at which they change nothing. */
const harmless: Readonly<Record<string, (value: Json | undefined) => boolean>> = {
  candidateCount: (value) => value === 1,
  responseLogprobs: (value) => value === false,
  responseModalities: (value) => Array.isArray(value) && value.every((one) => one === 'TEXT'),
  enableEnhancedCivicAnswers: (value) => value === false,
  presencePenalty: (value) => value === 0,
  frequencyPenalty: (value) => value === 0,
}

function readStops(value: Json | undefined, path: string): string[] {
  if (value === undefined) return []
  if (Array.isArray(value) && value.length <= 5 && value.every((stop) => typeof stop === 'string')) return value
  throw invalid(path, 'must be a list of at most 5 strings')
}

function readFormat(
  mimeType: string | undefined,
  schema: Json | undefined,
  openApi: Json | undefined,
  at: string,
): Format | undefined {
  const wanted = schema ?? openApi
  if (mimeType === undefined || mimeType === 'text/plain') {
    if (wanted === undefined) return undefined
    throw invalid(`${at}.responseMimeType`, 'must be application/json where a schema is given')
  }
  if (mimeType !== 'application/json') throw invalid(`${at}.responseMimeType`, 'must be text/plain or application/json')
  if (wanted === undefined) return { type: 'json' }
  if (!isObject(wanted)) throw invalid(`${at}.responseJsonSchema`, 'must be an object')
  return { type: 'json-schema', name: 'response', schema: schema === undefined ? jsonSchema(wanted) : wanted }
}

function readTools(value: Json | undefined, at: string, extras: Extra[]): Tool[] {
  return many(value, at).flatMap((group, index) => {
    const path = `${at}[${index}]`
    // What is no function is one of Google's own tools: search, code execution, maps.
    const { functionDeclarations, ...rest } = fields(group, path)
    for (const name of Object.keys(rest)) extras.push({ path: `${path}.${name}`, what: "one of Google's own tools" })
    return many(functionDeclarations, `${path}.functionDeclarations`).map((declaration, position) =>
      readTool(declaration, `${path}.functionDeclarations[${position}]`, extras),
    )
  })
}

function readTool(value: Json, path: string, extras: Extra[]): Tool {
  const { name, description, parameters, parametersJsonSchema, ...rest } = fields(value, path)
  spare(rest, path, extras)
  const called = text(name, `${path}.name`)
  if (called === undefined || called === '') throw invalid(path, 'needs a name')
  const about = text(description, `${path}.description`)
  const schema = isObject(parametersJsonSchema) ? parametersJsonSchema : jsonSchema(parameters)
  return {
    path,
    name: called,
    ...(about === undefined ? {} : { description: about }),
    schema: Object.keys(schema).length === 0 ? { type: 'object', properties: {} } : schema,
  }
}

function readToolConfig(
  value: Json | undefined,
  at: string,
  extras: Extra[],
): { toolChoice?: ToolChoice; only?: string[] } {
  if (value === undefined) return {}
  const { functionCallingConfig, ...rest } = fields(value, at)
  spare(rest, at, extras)
  if (functionCallingConfig === undefined) return {}
  const path = `${at}.functionCallingConfig`
  const { mode, allowedFunctionNames, ...others } = fields(functionCallingConfig, path)
  spare(others, path, extras)
  const only = many(allowedFunctionNames, `${path}.allowedFunctionNames`).filter((name) => typeof name === 'string')
  switch (mode) {
    case undefined:
    case 'MODE_UNSPECIFIED':
      return {}
    case 'AUTO':
      return { toolChoice: { type: 'auto' } }
    case 'NONE':
      return { toolChoice: { type: 'none' } }
    case 'ANY':
      if (only.length === 1) return { toolChoice: { type: 'tool', name: only[0] ?? '' } }
      return { toolChoice: { type: 'any' }, ...(only.length === 0 ? {} : { only }) }
    case 'VALIDATED':
      extras.push({ path: `${path}.mode`, what: 'calls held to their schema' })
      return { toolChoice: { type: 'auto' } }
    default:
      throw invalid(`${path}.mode`, 'must be one of AUTO, ANY, NONE, VALIDATED')
  }
}

/** Thresholds change which answers are held back: only Google's own default, or none at all, means the same elsewhere. */
function readSafety(value: Json | undefined, at: string, extras: Extra[]): void {
  many(value, at).forEach((setting, index) => {
    const { threshold } = fields(setting, `${at}[${index}]`)
    const same = threshold === undefined || (typeof threshold === 'string' && plain.has(threshold))
    if (!same) extras.push({ path: `${at}[${index}]`, what: 'a safety threshold' })
  })
}

/** Off is the default since Gemini 2.5: https://ai.google.dev/gemini-api/docs/safety-settings */
const plain = new Set(['HARM_BLOCK_THRESHOLD_UNSPECIFIED', 'OFF', 'BLOCK_NONE'])

function without(object: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !Object.hasOwn(names, name)))
}

function given(sampling: { [K in keyof Sampling]: Sampling[K] | undefined }): Sampling {
  return Object.fromEntries(Object.entries(sampling).filter(([, value]) => value !== undefined))
}
