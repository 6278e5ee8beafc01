import type { ServerResponse } from 'node:http'
import { Body } from '../core/body.ts'
import type { Dialect } from '../core/dialect.ts'
import type { Failure, Wire } from '../core/failure.ts'
import { topLevelFields } from '../core/fields.ts'
import { splice } from '../core/splice.ts'
import { answerHeaders, failureHeaders } from './headers.ts'
import type { Tab } from './tab.ts'

/**
 * Ends a call that failed before any of its answer went out: the error that the caller's own SDK expects. Gives back what sends it.
 * A vendor's answer in the caller's own dialect passes as it came: clients match on its wording.
 */
export function refuse(failure: Failure, dialect: Dialect, response: ServerResponse, tab: Tab): () => void {
  tab.failure = failure
  if (failure.kind === 'caller-gone' || response.destroyed) {
    tab.status = 499
    return () => response.destroy()
  }
  const { wire } = failure
  const passes = wire !== undefined && speaks(wire, dialect) && passable(failure, dialect, tab.vendor)
  tab.status = passes ? wire.status : failure.status
  const body = passes ? withOurId(wire.body, dialect, tab.id) : JSON.stringify(dialect.failure.write(failure, tab.id))
  const headers = { ...answerHeaders(tab), ...failureHeaders(failure, tab) }
  headers['content-type'] = passes ? wire.contentType : 'application/json'
  headers['content-length'] = Buffer.byteLength(body)
  tab.replyBytes = headers['content-length']
  return () => response.writeHead(tab.status, headers).end(body)
}

/** A vendor's error as it came, but for the id in it: callers look up ours, and theirs is kept in the receipt. */
export function withOurId(json: Uint8Array, dialect: Dialect, id: string): Buffer {
  const body = new Body([Buffer.from(json)])
  const { idField } = dialect.failure
  const held = idField !== undefined && topLevelFields(body)?.some((field) => field.name === idField) === true
  return held ? splice(body, { [idField]: id }) : body.bytes
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
