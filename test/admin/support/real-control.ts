import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Control } from '../../../src/control/control.ts'
import { sealWith } from '../../../src/control/secrets-seal.ts'
import { openStore } from '../../../src/control/store/index.ts'
import { startMs } from './fake-control.ts'

/** The control plane as it is, over a database in a folder of its own, with a few receipts. */
export function realControl(): { service: (nowMs: () => number) => Control; close: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-admin-'))
  const store = openStore(folder)
  const receipts = Array.from({ length: 5 }, (_, index) => ({
    type: 'receipt',
    id: `req_${index}`,
    keyId: 'ab12cd34',
    plan: 'basic',
    dialect: 'anthropic',
    modelAsked: 'claude',
    model: 'claude',
    vendor: 'anthropic',
    simulated: false,
    stream: true,
    tries: [{ vendor: 'anthropic', model: 'claude', credential: 1, status: 200, outcome: 'ok', durationMs: 12 }],
    usage: { input: 10, output: 20, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0, thinking: 0 },
    ...(index > 0 && { nanoDollars: 42 }),
    status: 200,
    startedMs: startMs - 1000 - index,
    firstByteMs: startMs - 500,
    endedMs: startMs,
    requestBytes: 1,
    replyBytes: 2,
    times: 1,
  }))
  const said = Buffer.from('{}').toString('base64')
  const captures = receipts.map(({ id }) => ({
    type: 'capture',
    id,
    key: 'ab12cd34',
    expiresMs: 4_102_444_800_000,
    request: said,
    reply: said,
  }))
  store
    .sink({ nowMs: () => startMs })
    .import({ file: 'a', writer: 'a', from: 0, offset: 1, entries: [...captures, ...receipts] })
  return {
    service: (nowMs) =>
      new Control({
        store,
        nowMs,
        digest: (key) => createHmac('sha256', 'pepper').update(key).digest(),
        keyPrefix: 'sk-aic-',
        vendors: ['anthropic', 'openai'],
        ladders: () => ['best'],
        seal: sealWith(new Uint8Array(32).map((_, index) => index)),
      }),
    close() {
      store.close()
      rmSync(folder, { recursive: true })
    },
  }
}
