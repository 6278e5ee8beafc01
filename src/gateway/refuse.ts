import type { ServerResponse } from 'node:http'
import type { Dialect } from '../core/dialect.ts'
import type { Failure, Wire } from '../core/failure.ts'
import { answerHeaders, failureHeaders } from './headers.ts'
import type { Tab } from './tab.ts'

/**
 * Ends a call that failed before any of its answer went out: the error that the caller's own SDK expects.
 * A vendor's answer in the caller's own dialect passes as it came: clients match on its wording.
 */
export function refuse(failure: Failure, dialect: Dialect, response: ServerResponse, tab: Tab): void {
  tab.failure = failure
  if (failure.kind === 'caller-gone' || response.destroyed) {
    tab.status = 499
    response.destroy()
    return
  }
  const headers = { ...answerHeaders(tab), ...failureHeaders(failure, tab) }
  let body: Uint8Array | string
  if (failure.wire !== undefined && speaks(failure.wire, dialect) && passable(failure, dialect, tab.vendor)) {
    tab.status = failure.wire.status
    body = failure.wire.body
    headers['content-type'] = failure.wire.contentType
  } else {
    tab.status = failure.status
    body = JSON.stringify(dialect.failure.write(failure, tab.id))
    headers['content-type'] = 'application/json'
  }
  headers['content-length'] = Buffer.byteLength(body)
  tab.replyBytes = headers['content-length']
  response.writeHead(tab.status, headers).end(body)
}

/** An error answer in this dialect: a page of a proxy in between is none. */
function speaks(wire: Wire, dialect: Dialect): boolean {
  return wire.dialect === dialect.name && wire.status >= 400 && wire.contentType.startsWith('application/json')
}

/**
 * May the vendor's own words go to the caller? Not where they speak of the gateway's account as if it were the
 * caller's, nor from a guest in the dialect, whose errors have a shape of their own: xAI's is a text.
 */
export function passable(failure: Failure, dialect: Dialect, vendor: string): boolean {
  return failure.blame !== 'gateway' && vendor === dialect.native
}
