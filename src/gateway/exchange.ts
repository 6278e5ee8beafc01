import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Call } from '../core/call.ts'
import { Failure, failureOf } from '../core/failure.ts'
import type { Rung } from '../core/ladder.ts'
import type { Caller } from '../core/caller.ts'
import type { Plan } from '../core/plan.ts'
import type { Snapshot } from '../core/snapshot.ts'
import { admit, type Admission } from './admit.ts'
import { attempt } from './attempt.ts'
import { Capture } from './capture.ts'
import { climb, type Climbed } from './climb.ts'
import type { Gateway } from './gateway.ts'
import { estimate, type Estimated } from './estimate.ts'
import { identify } from './identify.ts'
import { callerWaitsMs, callMsMax, isRetry } from './patience.ts'
import { readBody, readJson } from './read.ts'
import { refuse } from './refuse.ts'
import { relay } from './relay.ts'
import { allowedRungs, bodyLimit, type BodyLimit } from './rights.ts'
import { route } from './route.ts'
import type { CallRoute } from './routes.ts'
import { Tab } from './tab.ts'

/**
 * The life of a call, a line a step: identify, read, route, admit, climb, relay, record. Each step throws a Failure to
 * end it; the last one always runs, and what it writes down outlives the process before the end of the answer is sent.
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
  const stay: Stay = { failure: undefined, cancel: undefined, admission: undefined }
  response.once('close', () => {
    if (response.writableFinished) return
    end(stay, new Failure('caller-gone', 'The caller left before the answer was complete.'))
  })
  let climbed: Climbed | undefined
  let send: () => void
  try {
    const caller = identify(snapshot, request)
    const plan = snapshot.plans.get(caller.plan) ?? snapshot.defaultPlan
    tab.by(caller, plan)
    const answer = await ask({ gateway, snapshot, path, request, tab, stay, caller, plan })
    if (answer.type === 'estimated') send = () => answer.send(response)
    else {
      climbed = answer
      send = await relay(climbed.answer, dialect, response, snapshot, tab)
    }
  } catch (thrown) {
    const failure = failureOf(thrown)
    if (response.headersSent) {
      tab.failure = failure
      send = () => response.destroy()
    } else send = refuse(failure, dialect, response, tab)
  }
  climbed?.over(tab.failure)
  stay.admission?.leave()
  if (tab.failure?.kind === 'gateway-fault') gateway.log.fault(tab.id, tab.failure.cause)
  try {
    const refused = stay.admission === undefined ? tab.failure : undefined
    if (tab.capture !== undefined) {
      gateway.recorder.said(tab.capture.entry(tab.id, tab.keyId, tab.startedMs + tab.captureMs))
    }
    gateway.recorder.ended(tab.receipt(Date.now()), refused, send)
  } catch (thrown) {
    // A bug of the recording is told, and the caller gets the answer all the same.
    gateway.log.fault(tab.id, thrown)
    send()
  }
}

/** A call's place among those under way. */
interface Stay {
  /** Why the call has to end, once it has; `cancel` is called then. */
  failure: Failure | undefined
  cancel: ((reason: Failure) => void) | undefined
  admission: Admission | undefined
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
  tab: Tab
  stay: Stay
  caller: Caller
  plan: Plan
}

/**
 * Read, route, admit and climb. Apart from the rest, so that the request is let go before its answer flows, perhaps for
 * an hour.
 */
async function ask(asking: Asking): Promise<({ type: 'climbed' } & Climbed) | Estimated> {
  const { gateway, snapshot, path, request, tab, stay, caller, plan } = asking
  const startedMs = gateway.clock.nowMs()
  const call = await read(path, request, bodyLimit(snapshot.bodyBytesMax, plan), tab, snapshot)
  if (caller.captureMs !== undefined) tab.capture = new Capture(call.body)
  const fault = headerOf(request, 'x-keyrung-fault')
  const counting = call.purpose === 'count'
  const routed = route(snapshot, call.head.model, {
    dialect: call.dialect,
    caller,
    plan,
    fault,
    ladder: headerOf(request, 'x-keyrung-ladder'),
    counting,
    random: gateway.clock.random,
  })
  const ladder = allowedRungs(routed, caller, plan)
  tab.ladder = ladder.name
  stay.admission = admit(gateway, snapshot, {
    caller,
    plan,
    call,
    ladder,
    tab,
    end: (reason) => end(stay, reason),
  })
  const first = ladder.rungs[0] as Rung
  if (counting && first.vendor.counts === undefined) {
    if (fault !== undefined)
      throw new Failure(
        'request-invalid',
        'Tokens of this model are estimated here: no vendor is asked that could fail.',
        { fix: 'Leave out x-keyrung-fault.' },
      )
    return estimate(call, first, tab)
  }
  const context = {
    id: tab.id.slice(4),
    model: call.head.model,
    createdMs: tab.startedMs,
    request: call.json,
    // Nothing left to ask for: the caller asked for it.
    streamUsage: Object.keys(call.dialect.request.ask?.(call.json, call.head) ?? {}).length === 0,
  }
  const climbed = await climb(call, ladder, {
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
  return { type: 'climbed', ...climbed }
}

/** A header of the caller's, bounded; undefined for none. */
function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value.slice(0, 200) : undefined
}

async function read(
  path: CallRoute,
  request: IncomingMessage,
  limit: BodyLimit,
  tab: Tab,
  { dialects }: Snapshot,
): Promise<Call> {
  const dialect = dialects[path.dialect]
  const body = await readBody(request, limit)
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
