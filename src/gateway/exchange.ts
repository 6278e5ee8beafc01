import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Call } from '../core/call.ts'
import { Failure, failureOf } from '../core/failure.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { admit } from './admit.ts'
import { climb, type Climb } from './climb.ts'
import type { Gateway } from './gateway.ts'
import { estimate } from './estimate.ts'
import { identify } from './identify.ts'
import { readBody, readJson } from './read.ts'
import { refuse } from './refuse.ts'
import { relay } from './relay.ts'
import { route } from './route.ts'
import type { CallRoute } from './routes.ts'
import { Tab } from './tab.ts'

/**
 * The life of a call, a line a step: identify, read, admit, route, climb, relay, record. Each step throws a Failure to
 * end it; the last one always runs.
 */
export async function exchange(
  gateway: Gateway,
  path: CallRoute,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const snapshot = gateway.snapshot()
  const dialect = snapshot.dialects[path.dialect]
  const tab = new Tab(path.dialect, Date.now())
  const gone: Climb['gone'] = { failure: undefined, cancel: undefined }
  let leave: (() => void) | undefined
  response.once('close', () => {
    if (response.writableFinished) return
    gone.failure = new Failure('caller-gone', 'The caller left before the answer was complete.')
    gone.cancel?.(gone.failure)
  })
  try {
    tab.keyId = identify(snapshot, request.headers).id
    const call = await read(path, request, snapshot, tab)
    leave = admit(gateway, snapshot)
    const ladder = route(snapshot, call.head.model)
    const [rung] = ladder.rungs
    if (rung !== undefined && call.purpose === 'count' && rung.vendor.counts === undefined) {
      estimate(call, rung, response, tab)
      return
    }
    const context = {
      id: tab.id.slice(4),
      model: call.head.model,
      createdMs: tab.startedMs,
      request: call.json,
      // Nothing left to ask for: the caller asked for it.
      streamUsage: Object.keys(dialect.request.ask?.(call.json, call.head) ?? {}).length === 0,
    }
    const answer = await climb(call, ladder, { snapshot, dispatcher: gateway.dispatcher, context, tab, gone })
    await relay(answer, dialect, response, snapshot, tab)
  } catch (thrown) {
    const failure = failureOf(thrown)
    if (failure.kind === 'gateway-fault') gateway.log.fault(tab.id, failure.cause)
    if (response.headersSent) {
      tab.failure = failure
      response.destroy()
    } else refuse(failure, dialect, response, tab)
  } finally {
    leave?.()
    gateway.record(tab.receipt(Date.now()))
  }
}

async function read(path: CallRoute, request: IncomingMessage, snapshot: Snapshot, tab: Tab): Promise<Call> {
  const dialect = snapshot.dialects[path.dialect]
  const body = await readBody(request, snapshot.bodyBytesMax)
  tab.requestBytes = body.length
  const json = readJson(body)
  const head = dialect.request.head(json, path.path)
  if (path.purpose === 'count') head.stream = false
  tab.modelAsked = head.model
  tab.model = head.model
  tab.stream = head.stream
  return {
    id: tab.id,
    dialect,
    purpose: path.purpose,
    head,
    json,
    body,
    headers: request.headers,
    startedMs: tab.startedMs,
  }
}
