import { request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import { Failure } from '../core/failure.ts'

/** Where the control plane answers, and the word that lets a worker in. */
export interface ControlAddress {
  readonly origin: string
  readonly word: string
}

/** The headers by which a worker tells the control plane who it is, whose key came, and from where. */
export const wordHeader = 'x-keyrung-word'
export const keyHeader = 'x-keyrung-key'
export const addressHeader = 'x-keyrung-address'

/** Headers of one connection only, and those of ours that a caller must not set. */
const notPassed =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|host|expect|x-keyrung-(word|key|address))$/

interface Forwarding {
  control: ControlAddress
  path: string
  /** Whose key it is, for what belongs to a key. */
  keyId: string | undefined
  /** Where it comes from. */
  address: string
  /** Called where the control plane cannot be reached. */
  refuse: (failure: Failure) => void
}

/** Hands a request on to the control plane, and its answer back, both as they flow. */
export function forward(
  { control, path, keyId, address, refuse }: Forwarding,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const headers: Record<string, string | string[]> = { [wordHeader]: control.word }
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined && !notPassed.test(name)) headers[name] = value
  }
  if (keyId !== undefined) headers[keyHeader] = keyId
  headers[addressHeader] = address
  const upstream = ask(`${control.origin}${path}`, { method: request.method ?? 'GET', headers })
  upstream.on('response', (answer) => {
    const { connection: _connection, 'transfer-encoding': _encoding, ...kept } = answer.headers
    response.writeHead(answer.statusCode ?? 502, kept)
    // Broken off, it must not look like one that still comes.
    answer.on('error', () => response.destroy())
    answer.pipe(response)
  })
  upstream.on('error', (error) => {
    // The caller has left, and that is why.
    if (response.destroyed) return
    if (response.headersSent) response.destroy()
    else refuse(new Failure('gateway-fault', 'The control plane does not answer.', { cause: error }))
  })
  response.on('close', () => upstream.destroy())
  request.pipe(upstream)
}
