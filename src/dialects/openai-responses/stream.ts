import type { Dialect, Emit, EventReader } from '../../core/dialect.ts'
import { Failure } from '../../core/failure.ts'
import { isObject, parseJson, textOf } from '../../core/json.ts'
import { eachEvent } from '../../core/sse.ts'
import { ResponsesMeter } from './meter.ts'
import { ReplyReader } from './reply-reader.ts'
import { ping, ReplyWriter } from './reply-writer.ts'

/** Streamed replies. */
export const stream: Dialect['stream'] = {
  reader: (vendor) => new StreamReader(vendor),
  writer: (context) => new ReplyWriter(context),
  meter: () => new ResponsesMeter(),
  ping,
}

class StreamReader implements EventReader {
  readonly #reply: ReplyReader

  constructor(vendor: string) {
    this.#reply = new ReplyReader(vendor)
  }

  read(name: string, data: string, emit: Emit): void {
    // The API ends without it; SDKs and some proxies know it from the older API.
    if (data === '[DONE]') return
    const json = parseJson(data)
    if (!isObject(json)) {
      throw new Failure('vendor-unreadable', 'The vendor sent a stream event that is no JSON object.')
    }
    this.#reply.take(textOf(json['type']) ?? name, json, emit)
  }

  /** A last event may lack its blank line. One that is not whole belongs to a cut stream. */
  end(rest: string, emit: Emit): void {
    eachEvent(rest, (name, data) => {
      if (isObject(parseJson(data))) this.read(name, data, emit)
    })
  }
}
