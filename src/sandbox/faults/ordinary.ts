import type { Answer, Reply } from './fault.ts'

/** The content type of a whole reply. */
export const jsonType = 'application/json'
/** The content type of a streamed one. */
export const streamType = 'text/event-stream; charset=utf-8'

/** The answer without a fault. */
export function ordinary(reply: Reply): Answer {
  return reply.streamed ? asStream(reply) : asWhole(reply)
}

/** The whole reply, whatever was asked for. */
export function asWhole({ vendor, dialect, whole }: Reply, contentType = jsonType): Answer {
  // DeepSeek keeps the connection of a whole reply alive by blank lines.
  const lead = dialect !== undefined && vendor.keepAlive?.after === 'headers' ? '\n' : ''
  return { head: { status: 200, contentType }, pieces: [lead, whole()], ending: 'end' }
}

/** The reply as a stream, whatever was asked for. */
export function asStream(reply: Reply, contentType = streamType): Answer {
  return { head: { status: 200, contentType }, pieces: texts(reply), ending: 'end' }
}

function* texts(reply: Reply): Generator<string> {
  for (const piece of reply.pieces()) yield piece.text
}
