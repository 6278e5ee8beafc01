import { once } from 'node:events'
import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'

/** An answer as bytes: what an SDK would see before it makes anything of it. */
export interface RawAnswer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  json: <T = Record<string, unknown>>() => T
}

interface RawRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Opens a request and gives it with its response once the head is there; the caller reads and ends both. */
export async function open(
  url: string,
  { method = 'POST', headers = {}, body }: RawRequest = {},
): Promise<{ request: ClientRequest; response: IncomingMessage }> {
  const request = httpRequest(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    agent: false,
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => {})
  return { request, response }
}

/** One request, its whole answer. */
export async function fetchRaw(url: string, options: RawRequest = {}): Promise<RawAnswer> {
  const { response } = await open(url, options)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    json: <T>() => JSON.parse(body.toString()) as T,
  }
}

/** Sends bytes as they are and gives all that comes back until the server closes: for what no client would send. */
export async function sendBytes(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes, 'latin1')
  let text = ''
  socket.on('data', (chunk: string) => {
    text += chunk
  })
  await once(socket, 'close')
  return text
}
