import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { suite, test } from 'node:test'
import { Webhooks, type BudgetUse } from './webhooks.ts'

const use: BudgetUse = {
  scope: 'key',
  id: 'ab12cd34',
  name: 'ci',
  limit: 'tokensPerDay',
  max: 1000,
  used: 800,
  periodMs: Date.parse('2026-11-25T00:00:00Z'),
}

interface Sent {
  url: string
  body: string
  headers: Readonly<Record<string, string>>
}

function hooks(statuses: (number | Error)[], thresholds = [80, 100]) {
  const sent: Sent[] = []
  const waits: number[] = []
  const errors: string[] = []
  const marks = new Set<string>()
  const webhooks = new Webhooks({
    hooks: [{ url: 'https://example.org/hook', secret: 'shared', thresholds }],
    async send(url, body, headers) {
      sent.push({ url, body, headers })
      const status = statuses[Math.min(sent.length, statuses.length) - 1] ?? 200
      if (status instanceof Error) throw status
      return status
    },
    tell(told) {
      const mark = JSON.stringify(told)
      const isNew = !marks.has(mark)
      marks.add(mark)
      return isNew
    },
    nowMs: () => Date.parse('2026-11-25T10:00:00Z'),
    async sleep(ms) {
      waits.push(ms)
    },
    onError: (error) => errors.push(error.message),
  })
  return { webhooks, sent, waits, errors }
}

suite('webhooks', () => {
  test('nothing is told below a threshold', async () => {
    const { webhooks, sent } = hooks([200])
    webhooks.check({ ...use, used: 799 })
    await webhooks.close()
    assert.equal(sent.length, 0)
  })

  test('a threshold is told once, at the very token that reaches it', async () => {
    const { webhooks, sent } = hooks([200])
    webhooks.check(use)
    webhooks.check({ ...use, used: 900 })
    await webhooks.close()
    assert.equal(sent.length, 1)
    assert.deepEqual(JSON.parse(sent[0]?.body ?? ''), {
      type: 'budget.threshold',
      at: '2026-11-25T10:00:00.000Z',
      percent: 80,
      scope: 'key',
      id: 'ab12cd34',
      name: 'ci',
      limit: 'tokensPerDay',
      max: 1000,
      used: 800,
      period: '2026-11-25T00:00:00.000Z',
    })
  })

  test('one that jumps over both is told both, and the next period anew', async () => {
    const { webhooks, sent } = hooks([200])
    webhooks.check({ ...use, used: 1000 })
    webhooks.check({ ...use, used: 1000, periodMs: Date.parse('2026-11-26T00:00:00Z') })
    await webhooks.close()
    assert.deepEqual(
      sent.map((one) => (JSON.parse(one.body) as { percent: number }).percent),
      [80, 100, 80, 100],
    )
  })

  test('a message is signed over its time and body', async () => {
    const { webhooks, sent } = hooks([200])
    webhooks.check(use)
    await webhooks.close()
    const [, time = '', signature = ''] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(sent[0]?.headers['x-keyrung-signature'] ?? '') ?? []
    assert.equal(signature, createHmac('sha256', 'shared').update(`${time}.${sent[0]?.body}`).digest('hex'))
  })

  test('what nobody takes is tried again, with longer waits, until it is taken', async () => {
    const { webhooks, sent, waits, errors } = hooks([500, new Error('refused'), 204])
    webhooks.check(use)
    while (sent.length < 3) await Promise.resolve()
    await webhooks.close()
    assert.deepEqual(waits, [1000, 2000])
    assert.deepEqual(errors, [])
  })

  test('and given up with a word to the operator, that names no secret and no path', async () => {
    const { webhooks, sent, errors } = hooks([500])
    webhooks.check(use)
    while (errors.length === 0) await Promise.resolve()
    assert.equal(sent.length, 6)
    assert.deepEqual(errors, ['A webhook at example.org was not told of key ab12cd34: it answered 500.'])
  })
})
