import { unsupported } from '../../core/failure.ts'
import { compact, type JsonObject } from '../../core/json.ts'
import type { DocumentPart, ImagePart } from '../../core/prompt.ts'
import { takes, type Model } from '../../core/vendor.ts'
import { titled } from '../titled.ts'
import { cacheControl } from './fields.ts'

/** Writes an image or document for a user turn or a tool result; undefined for an empty one. */
export function writeMedia(part: ImagePart | DocumentPart, model: Model): JsonObject | undefined {
  return part.type === 'image' ? writeImage(part, model) : writeDocument(part, model)
}

const imageTypes = ['image/jpeg', 'image/png', 'image/gif', 'image/webp']

function writeImage(part: ImagePart, model: Model): JsonObject {
  const { source, path } = part
  if (!takes(model, 'image')) throw unsupported(path, 'an image', model.id)
  const cache_control = cacheControl(part.cacheMark)
  switch (source.type) {
    case 'base64': {
      // A common misspelling, which Anthropic refuses.
      const media_type = source.mediaType === 'image/jpg' ? 'image/jpeg' : source.mediaType
      if (!imageTypes.includes(media_type)) {
        throw unsupported(path, `an image of type ${media_type} (${imageTypes.join(', ')} are)`, model.id)
      }
      return compact({ type: 'image', source: { type: 'base64', media_type, data: source.data }, cache_control })
    }
    case 'url':
      demandHttps(source.url, path, model)
      return compact({ type: 'image', source: { type: 'url', url: source.url }, cache_control })
    default:
      throw unsupported(path, 'an image made of text', model.id)
  }
}

function writeDocument(part: DocumentPart, model: Model): JsonObject | undefined {
  const { source, path, title } = part
  const cache_control = cacheControl(part.cacheMark)
  if (source.type === 'text') {
    if (source.text.trim() === '') return undefined
    // A model without documents can still read their text.
    if (!takes(model, 'pdf')) {
      return compact({
        type: 'text',
        text: titled(title, source.text),
        cache_control,
      })
    }
    return compact({
      type: 'document',
      source: { type: 'text', media_type: 'text/plain', data: source.text },
      title,
      cache_control,
    })
  }
  if (!takes(model, 'pdf')) throw unsupported(path, 'a document', model.id)
  if (source.type === 'url') {
    demandHttps(source.url, path, model)
    return compact({ type: 'document', source: { type: 'url', url: source.url }, title, cache_control })
  }
  if (source.mediaType !== 'application/pdf') {
    throw unsupported(path, `a document of type ${source.mediaType} (application/pdf and plain text are)`, model.id)
  }
  const { mediaType: media_type, data } = source
  return compact({ type: 'document', source: { type: 'base64', media_type, data }, title, cache_control })
}

function demandHttps(url: string, path: string, model: Model): void {
  if (!/^https:\/\//i.test(url)) throw unsupported(path, 'a URL that does not start with https://', model.id)
}
