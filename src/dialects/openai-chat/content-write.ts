import { unsupported } from '../../core/failure.ts'
import { compact, table, type JsonObject } from '../../core/json.ts'
import type { AudioPart, DocumentPart, ImagePart, Part } from '../../core/prompt.ts'
import { takes, type Model } from '../../core/vendor.ts'
import { titled } from '../titled.ts'

/** A user's parts as OpenAI's content parts. Empty text is left out. */
export function writeUserParts(parts: readonly Part[], model: Model): JsonObject[] {
  return parts.flatMap((part) => {
    switch (part.type) {
      case 'text':
        return part.text === '' ? [] : [textPart(part.text)]
      case 'image':
        return [writeImage(part, model)]
      case 'document':
        return [writeDocument(part, model)]
      case 'audio':
        return [writeAudio(part, model)]
      default:
        throw unsupported(part.path, `a ${part.type} in a user's turn`, model.id)
    }
  })
}

function textPart(text: string): JsonObject {
  return { type: 'text', text }
}

function writeImage({ source, detail, path }: ImagePart, model: Model): JsonObject {
  if (!takes(model, 'image') || source.type === 'text') throw unsupported(path, 'an image', model.id)
  const url = source.type === 'url' ? source.url : `data:${source.mediaType};base64,${source.data}`
  // Only OpenAI knows `original`.
  const known = detail === 'original' && model.vendor !== 'openai' ? undefined : detail
  return { type: 'image_url', image_url: compact({ url, detail: known }) }
}

function writeDocument({ source, title, path }: DocumentPart, model: Model): JsonObject {
  if (source.type === 'text') return textPart(titled(title, source.text))
  if (source.type === 'url') throw unsupported(path, 'a document by its URL', model.id)
  const { mediaType, data } = source
  if (mediaType !== 'application/pdf') throw unsupported(path, `a document of the type ${mediaType}`, model.id)
  if (!takes(model, 'pdf')) throw unsupported(path, 'a PDF document', model.id)
  return {
    type: 'file',
    file: { filename: title ?? 'document.pdf', file_data: `data:application/pdf;base64,${data}` },
  }
}

const audioFormats: Readonly<Record<string, string>> = table({
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/wave': 'wav',
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
})

function writeAudio({ source, path }: AudioPart, model: Model): JsonObject {
  const format = source.type === 'base64' ? audioFormats[source.mediaType] : undefined
  if (!takes(model, 'audio')) throw unsupported(path, 'a sound', model.id)
  if (source.type !== 'base64' || format === undefined) {
    throw unsupported(path, 'a sound that is not inline WAV or MP3', model.id)
  }
  return { type: 'input_audio', input_audio: { data: source.data, format } }
}
