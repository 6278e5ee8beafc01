import { unsupported } from '../../core/failure.ts'
import { table, type JsonObject } from '../../core/json.ts'
import type { AudioPart, DocumentPart, Extra, ImagePart, Part } from '../../core/prompt.ts'
import { type Feature, type Model, takes } from '../../core/vendor.ts'
import { titled } from '../titled.ts'
import { fields, invalid, spare, text } from './fields.ts'

type Media = ImagePart | DocumentPart | AudioPart

/** An image, document or sound as a part of a content. */
export function writeMedia(part: Media, model: Model): JsonObject {
  const { source } = part
  if (source.type === 'text') return { text: titled(part.type === 'document' ? part.title : undefined, source.text) }
  const { feature, name, mediaType } = kinds[part.type]
  if (!(part.type === 'document' && source.type === 'base64' && source.mediaType.startsWith('text/'))) {
    if (!takes(model, feature)) throw unsupported(part.path, name, model.id)
  }
  if (source.type === 'base64') {
    if (part.type === 'document' && !/^(application\/pdf|text\/)/.test(source.mediaType)) {
      throw unsupported(part.path, `a document of type ${source.mediaType.slice(0, 100)}`, model.id)
    }
    return { inlineData: { mimeType: source.mediaType, data: source.data } }
  }
  if (!source.url.startsWith('https://')) throw unsupported(part.path, `${name} by a URL that is not https`, model.id)
  return { fileData: { fileUri: source.url, mimeType: typeByName(source.url) ?? mediaType } }
}

/** `inlineData` and `fileData` in the core's terms; what it has no word for goes to the extras. */
export function readMedia(part: JsonObject, path: string, extras: Extra[]): Part[] {
  if (part['inlineData'] !== undefined) {
    const { mimeType, data, displayName: _name, ...rest } = fields(part['inlineData'], `${path}.inlineData`)
    spare(rest, `${path}.inlineData`, extras)
    const mediaType = text(mimeType, `${path}.inlineData.mimeType`)
    const bytes = text(data, `${path}.inlineData.data`)
    if (mediaType === undefined || bytes === undefined) throw invalid(`${path}.inlineData`, 'needs mimeType and data')
    if (mediaType.startsWith('text/')) {
      const source = { type: 'text', text: Buffer.from(bytes, 'base64').toString() } as const
      return [{ type: 'document', path, source }]
    }
    return mediaPart({ type: 'base64', mediaType, data: bytes }, { mediaType, path, extras })
  }
  const { fileUri, mimeType, displayName: _name, ...rest } = fields(part['fileData'], `${path}.fileData`)
  spare(rest, `${path}.fileData`, extras)
  const url = text(fileUri, `${path}.fileData.fileUri`)
  if (url === undefined) throw invalid(`${path}.fileData`, 'needs fileUri')
  if (keptAtGoogle.test(url)) {
    extras.push({ path: `${path}.fileData`, what: 'a file kept at Google' })
    return []
  }
  const mediaType = text(mimeType, `${path}.fileData.mimeType`) ?? typeByName(url) ?? 'image/jpeg'
  return mediaPart({ type: 'url', url }, { mediaType, path, extras })
}

const kinds: Readonly<Record<Media['type'], { feature: Feature; name: string; mediaType: string }>> = {
  image: { feature: 'image', name: 'an image', mediaType: 'image/jpeg' },
  document: { feature: 'pdf', name: 'a PDF', mediaType: 'application/pdf' },
  audio: { feature: 'audio', name: 'audio', mediaType: 'audio/mp3' },
}

/** Addresses that only Google can read: its Files API, its storage, YouTube. */
const keptAtGoogle = /^(?!https?:)|^https?:\/\/(generativelanguage\.googleapis\.com|(www\.)?youtube\.com|youtu\.be)\//i

function mediaPart(
  source: Exclude<Media['source'], { type: 'text' }>,
  about: { mediaType: string; path: string; extras: Extra[] },
): Part[] {
  const { mediaType, path, extras } = about
  if (mediaType.startsWith('image/')) return [{ type: 'image', path, source }]
  if (mediaType.startsWith('audio/')) return [{ type: 'audio', path, source }]
  if (mediaType === 'application/pdf') return [{ type: 'document', path, source }]
  extras.push({ path, what: mediaType.startsWith('video/') ? 'a video' : `a file of type ${mediaType.slice(0, 100)}` })
  return []
}

const types: Readonly<Record<string, string>> = table({
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  heic: 'image/heic',
  heif: 'image/heif',
  pdf: 'application/pdf',
  mp3: 'audio/mp3',
  wav: 'audio/wav',
  ogg: 'audio/ogg',
  flac: 'audio/flac',
  aac: 'audio/aac',
})

function typeByName(url: string): string | undefined {
  const extension = /\.(\w+)(?:[?#]|$)/.exec(url.replace(/^\w+:\/\/[^/]*/, ''))?.[1]
  return extension === undefined ? undefined : types[extension.toLowerCase()]
}
