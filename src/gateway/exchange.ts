import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Call } from '../core/call.ts'
import { Failure, failureOf } from '../core/failure.ts'
import type { Rung } from '../core/ladder.ts'
import type { Caller, Snapshot } from '../core/snapshot.ts'
import { admit } from './admit.ts'
import { attempt } from './attempt.ts'
import { climb, type Climbed } from './climb.ts'
import type { Gateway } from './gateway.ts'
import { estimate } from './estimate.ts'
import { identify } from './identify.ts'
import { callerWaitsMs, callMsMax, isRetry } from './patience.ts'
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
  { path, mount }: { path: CallRoute; mount: string },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const snapshot = gateway.snapshot()
  const dialect = snapshot.dialects[path.dialect]
  const tab = new Tab(path.dialect, Date.now(), mount)
  tab.clientId = headerOf(request, 'x-client-request-id')
  const stay: Stay = { failure: undefined, cancel: undefined, leave: undefined }
  response.once('close', () => {
    if (response.writableFinished) return
    end(stay, new Failure('caller-gone', 'The caller left before the answer was complete.'))
  })
  let climbed: Climbed | undefined
  try {
    const caller = identify(snapshot, request.headers)
    tab.keyId = caller.id
    climbed = await ask({ gateway, snapshot, path, request, response, tab, stay, caller })
    if (climbed !== undefined) await relay(climbed.answer, dialect, response, snapshot, tab)
  } catch (thrown) {
    const failure = failureOf(thrown)
    if (response.headersSent) {
      tab.failure = failure
      response.destroy()
    } else refuse(failure, dialect, response, tab)
  } finally {
    climbed?.over(tab.failure)
    stay.leave?.()
    if (tab.failure?.kind === 'gateway-fault') gateway.log.fault(tab.id, tab.failure.cause)
    gateway.record(tab.receipt(Date.now()))
  }
}

/** A call's place among those under way. */
interface Stay {
  /** Why the call has to end, once it has; `cancel` is called then. */
  failure: Failure | undefined
  cancel: ((reason: Failure) => void) | undefined
  leave: (() => void) | undefined
}

function end(stay: Stay, reason: Failure): void {
  stay.failure ??= reason
  stay.cancel?.(reason)
}

interface Asking {
  gateway: Gateway
  snapshot: Snapshot
  path: CallRoute
  request: IncomingMessage
  response: ServerResponse
  tab: Tab
  stay: Stay
  caller: Caller
}

/**
 * Read, admit, route and climb. Apart from the rest, so that the request is let go before its answer flows, perhaps for
 * an hour. Undefined where the answer has been given.
 */
async function ask(asking: Asking): Promise<Climbed | undefined> {
  const { gateway, snapshot, path, request, response, tab, stay, caller } = asking
  const startedMs = gateway.clock.nowMs()
  const call = await read(path, request, snapshot, tab)
  stay.leave = admit(gateway, snapshot, (reason) => end(stay, reason))
  const fault = headerOf(request, 'x-keyrung-fault')
  const counting = call.purpose === 'count'
  const ladder = route(snapshot, call.head.model, {
    dialect: call.dialect,
    caller,
    fault,
    ladder: headerOf(request, 'x-keyrung-ladder'),
    counting,
    random: gateway.clock.random,
  })
  tab.ladder = ladder.name
  const first = ladder.rungs[0] as Rung
  if (counting && first.vendor.counts === undefined) {
    if (fault !== undefined)
      throw new Failure(
        'request-invalid',
        'Tokens of this model are estimated here: no vendor is asked that could fail.',
        { fix: 'Leave out x-keyrung-fault.' },
      )
    estimate(call, first, response, tab)
    return undefined
  }
  const context = {
    id: tab.id.slice(4),
    model: call.head.model,
    createdMs: tab.startedMs,
    request: call.json,
    // Nothing left to ask for: the caller asked for it.
    streamUsage: Object.keys(call.dialect.request.ask?.(call.json, call.head) ?? {}).length === 0,
  }
  return climb(call, ladder, {
    snapshot,
    clock: gateway.clock,
    seats: gateway.seats,
    attempt,
    dispatcher: gateway.dispatcher,
    context,
    tab,
    log: gateway.log,
    startedMs,
    untilMs: Math.min(callerWaitsMs(request.headers), callMsMax(first.deadlines, call.head.stream)),
    retried: isRetry(request.headers),
    gone: stay,
  })
}

/** A header of the caller's, bounded; undefined for none. */
function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined
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
    dialect,
    purpose: path.purpose,
    head,
    json,
    body,
    headers: request.headers,
  }
}
