import { request } from 'undici'

/** What a status page answered. */
export interface PageAnswer {
  status: number
  /** '' unless the status is 200. */
  body: string
}

/** Why a page could not be read, in words for people: it names no address of this network. */
export class PageProblem extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'PageProblem'
  }
}

const bodyBytesMax = 1024 * 1024

/**
 * Reads a status page over https, by GET, with nothing in it that says who asks. Redirects are not followed: whoever holds an
 * old name of a vendor's must not choose what this gateway reads. Throws PageProblem.
 */
export async function fetchPage(url: string, signal: AbortSignal): Promise<PageAnswer> {
  if (URL.parse(url)?.protocol !== 'https:') throw new PageProblem('Its address does not begin with https.')
  return await readWhole(url, signal)
}

/** The same for any address: for tests, whose server has no certificate. */
export async function readWhole(url: string, signal: AbortSignal): Promise<PageAnswer> {
  const { statusCode, body } = await request(url, {
    signal,
    // Once in some minutes: a connection that is kept has been closed by then.
    reset: true,
    headers: {
      accept: 'application/json, application/rss+xml',
      'accept-encoding': 'identity',
      'user-agent': 'keyrung',
    },
  })
  if (statusCode !== 200) {
    await body.dump({ limit: 16_384, signal })
    return { status: statusCode, body: '' }
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the body, and with it the connection.
    if (bytes > bodyBytesMax) throw new PageProblem(`It sent more than ${bodyBytesMax / 1024 / 1024} MiB.`)
    chunks.push(chunk)
  }
  return { status: 200, body: Buffer.concat(chunks).toString() }
}
