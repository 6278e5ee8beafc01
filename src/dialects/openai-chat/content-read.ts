import { isObject, type Json, type JsonObject } from '../../core/json.ts'
import type { AudioPart, DocumentPart, Extra, ImagePart, Part, Source, TextPart } from '../../core/prompt.ts'
import {
  invalid,
  missing,
  noteUnknown,
  optionalText,
  optionalWord,
  requiredText,
  wrongType,
  wrongValue,
} from './check.ts'

/** Content that is text alone: of system, developer and tool messages. */
export function readTexts(message: JsonObject, path: string, extras: Extra[]): TextPart[] {
  return parts(message, path, (part, partPath) => {
    const type = requiredText(part, 'type', `${partPath}.type`)
    if (type !== 'text') throw wrongValue(`${partPath}.type`, type, ['text'])
    return readText(part, partPath, extras)
  })
}

/** An assistant's content: text and refusals, or nothing beside tool calls. */
export function readAssistantContent(message: JsonObject, path: string, extras: Extra[]): TextPart[] {
  if ((message['content'] ?? null) === null) return []
  return parts(message, path, (part, partPath) => {
    const type = requiredText(part, 'type', `${partPath}.type`)
    if (type === 'text') return readText(part, partPath, extras)
    if (type !== 'refusal') throw wrongValue(`${partPath}.type`, type, ['text', 'refusal'])
    return [{ type: 'text', text: requiredText(part, 'refusal', `${partPath}.refusal`), refusal: true, path: partPath }]
  })
}

/** A user's content, all media included. */
export function readUserContent(message: JsonObject, path: string, extras: Extra[]): Part[] {
  return parts<Part>(message, path, (part, partPath) => {
    const type = requiredText(part, 'type', `${partPath}.type`)
    switch (type) {
      case 'text':
        return readText(part, partPath, extras)
      case 'image_url':
        return [readImage(part, partPath, extras)]
      case 'input_audio':
        return [readAudio(part, partPath, extras)]
      case 'file':
        return readFile(part, partPath, extras)
      default:
        throw wrongValue(`${partPath}.type`, type, ['text', 'image_url', 'input_audio', 'file'])
    }
  })
}

/** Content as a text or as a list of parts. Empty text is left out. */
function parts<P extends Part>(
  message: JsonObject,
  path: string,
  read: (part: JsonObject, path: string) => P[],
): (P | TextPart)[] {
  const content = message['content']
  const contentPath = `${path}.content`
  if ((content ?? null) === null) throw missing(contentPath)
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content, path }]
  if (!Array.isArray(content)) throw wrongType(contentPath, 'one of a string or array of objects', content)
  return content.flatMap((part: Json, index) => {
    const partPath = `${contentPath}[${index}]`
    if (!isObject(part)) throw wrongType(partPath, 'an object', part)
    return read(part, partPath)
  })
}

function readText(part: JsonObject, path: string, extras: Extra[]): TextPart[] {
  noteUnknown(part, new Set(['type', 'text', 'prompt_cache_breakpoint']), path, extras)
  const text = requiredText(part, 'text', `${path}.text`)
  return text === '' ? [] : [{ type: 'text', text, path }]
}

function readImage(part: JsonObject, path: string, extras: Extra[]): ImagePart {
  const image = inner(part, 'image_url', { path, extras, fields: ['url', 'detail'] })
  const urlPath = `${path}.image_url.url`
  const url = requiredText(image, 'url', urlPath)
  const detail = optionalWord(image, 'detail', `${path}.image_url.detail`, ['low', 'high', 'auto', 'original'])
  const source: Source | undefined = /^https?:\/\//i.test(url) ? { type: 'url', url } : dataSource(url)
  if (source === undefined || source.type === 'text' || (source.type === 'base64' && !isImage(source.mediaType))) {
    const message = `Invalid '${urlPath}'. Expected a URL with the scheme http or https, or a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').`
    throw invalid(message, urlPath, 'invalid_value')
  }
  return { type: 'image', source, ...(detail !== undefined && { detail }), path }
}

function readAudio(part: JsonObject, path: string, extras: Extra[]): AudioPart {
  const audio = inner(part, 'input_audio', { path, extras, fields: ['data', 'format'] })
  const data = requiredText(audio, 'data', `${path}.input_audio.data`)
  const format = optionalWord(audio, 'format', `${path}.input_audio.format`, ['wav', 'mp3'])
  if (format === undefined) throw missing(`${path}.input_audio.format`)
  return {
    type: 'audio',
    source: { type: 'base64', mediaType: format === 'mp3' ? 'audio/mpeg' : 'audio/wav', data },
    path,
  }
}

function readFile(part: JsonObject, path: string, extras: Extra[]): DocumentPart[] {
  const file = inner(part, 'file', { path, extras, fields: ['filename', 'file_data', 'file_id'] })
  if ((file['file_id'] ?? null) !== null) {
    extras.push({ path: `${path}.file.file_id`, what: "a file of OpenAI's by its id" })
    return []
  }
  const dataPath = `${path}.file.file_data`
  const source = dataSource(requiredText(file, 'file_data', dataPath))
  if (source === undefined) {
    const message = `Invalid '${dataPath}'. Expected a base64-encoded data URL (e.g. 'data:application/pdf;base64,cGRmIGJ5dGVzIGhlcmU=').`
    throw invalid(message, dataPath, 'invalid_value')
  }
  const title = optionalText(file, 'filename', `${path}.file.filename`)
  return [{ type: 'document', source, ...(title !== undefined && { title }), path }]
}

/** The object that a part keeps under its type's name, with these fields. */
function inner(
  part: JsonObject,
  key: string,
  { path, extras, fields }: { path: string; extras: Extra[]; fields: readonly string[] },
): JsonObject {
  noteUnknown(part, new Set(['type', key, 'prompt_cache_breakpoint']), path, extras)
  const value = part[key] ?? undefined
  if (value === undefined) throw missing(`${path}.${key}`)
  if (!isObject(value)) throw wrongType(`${path}.${key}`, 'an object', value)
  noteUnknown(value, new Set(fields), `${path}.${key}`, extras)
  return value
}

function isImage(mediaType: string): boolean {
  return mediaType.startsWith('image/')
}

/** The bytes of `data:TYPE;base64,…`; text comes as text. Undefined for any other URL. */
function dataSource(url: string): Source | undefined {
  const comma = url.indexOf(',')
  const head = /^data:([\w.+-]+\/[\w.+-]+)(?:;[\w=."-]+)*;base64$/i.exec(url.slice(0, Math.max(0, comma)))
  if (head === null) return undefined
  const mediaType = (head[1] as string).toLowerCase()
  const data = url.slice(comma + 1)
  if (mediaType.startsWith('text/')) return { type: 'text', text: Buffer.from(data, 'base64').toString() }
  return { type: 'base64', mediaType, data }
}
