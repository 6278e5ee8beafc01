import type { ReplyEvent } from '../../core/event.ts'
import { listOf, objectOf, textOf, type JsonObject } from '../../core/json.ts'

type Citation = Extract<ReplyEvent, { type: 'citation' }>

/** Keeps count of a reply's text, so that each citation can say which stretch of it it belongs to. */
export class TextSpans {
  #from = 0
  #length = 0
  #cited = false

  /** Text has been written. */
  text(text: string): void {
    if (this.#cited) this.#from = this.#length
    this.#cited = false
    this.#length += text.length
  }

  /** OpenAI's annotation for a source of the text just written. */
  annotation(citation: Citation): JsonObject {
    this.#cited = true
    return {
      type: 'url_citation',
      url_citation: {
        start_index: this.#from,
        end_index: this.#length,
        url: citation.url,
        title: citation.title ?? citation.url,
      },
    }
  }
}

/** The citations among a message's or delta's annotations. */
export function readCitations(annotations: unknown): Citation[] {
  return listOf(annotations).flatMap((annotation) => {
    const source = objectOf(objectOf(annotation)['url_citation'])
    const url = textOf(source['url'])
    if (url === undefined) return []
    const title = textOf(source['title'])
    return [{ type: 'citation', url, ...(title !== undefined && { title }) }]
  })
}
