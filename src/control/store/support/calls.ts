import type { Billed, Intent } from '../../../core/receipt.ts'
import type { Entry } from '../entries.ts'

export const reserved = { input: 100, output: 400, nano: 9000 }

/** A receipt as the journal gives it back: through JSON. */
export function receiptEntry(change: Partial<Billed> = {}): Entry {
  const receipt: Billed = {
    id: 'req_1',
    keyId: 'key00001',
    owner: undefined,
    plan: 'basic',
    clientId: undefined,
    dialect: 'anthropic',
    modelAsked: 'claude',
    model: 'claude-9',
    vendor: 'anthropic',
    ladder: undefined,
    simulated: false,
    stream: true,
    tries: [{ vendor: 'anthropic', model: 'claude-9', credential: 1, status: 200, outcome: 'ok', durationMs: 12 }],
    usage: { input: 10, output: 20, cacheRead: 3, cacheWrite5m: 4, cacheWrite1h: 5, thinking: 6 },
    nanoDollars: 1000,
    reserved,
    times: 1,
    status: 200,
    failure: undefined,
    blame: undefined,
    startedMs: 1_000_000,
    firstByteMs: 1_000_100,
    endedMs: 1_000_900,
    requestBytes: 500,
    replyBytes: 700,
    ...change,
  }
  return throughJson({ type: 'receipt', ...receipt })
}

export function intentEntry(change: Partial<Intent> = {}): Entry {
  const intent: Intent = {
    id: 'req_1',
    key: 'key00001',
    owner: undefined,
    plan: 'basic',
    model: 'claude-9',
    vendor: 'anthropic',
    startedMs: 1_000_000,
    reserved,
    dialect: 'anthropic',
    ...change,
  }
  return throughJson({ type: 'intent', ...intent })
}

function throughJson(entry: Entry): Entry {
  return JSON.parse(JSON.stringify(entry)) as Entry
}
