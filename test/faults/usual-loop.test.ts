import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runPython, setUpPython } from '../python/support.ts'
import { startTestGateway } from '../support/gateway.ts'

interface Told {
  name: string
  said?: string
  raised?: string
  status?: number
  type?: string
  waits: number[]
}

interface Case {
  /** The model that is asked for; `stream:` streams it. */
  name: string
  says: string
  /** The waits between attempts, in seconds; a number of its own is Retry-After's, `~` one by chance. */
  waits: (number | `~${number}`)[]
  /** What is raised in the end; undefined: it is answered. */
  raised?: [name: string, status: number, type: string]
}

const overloaded: Case['raised'] = ['OverloadedError', 529, 'overloaded_error']
const cases: readonly Case[] = [
  { name: 'sandbox/ok', says: 'an answer needs no second attempt', waits: [] },
  {
    name: 'sandbox/529-2-times-then-ok',
    says: 'an overload that passes is answered at the third',
    waits: ['~1', '~2'],
  },
  { name: 'sandbox/500-then-ok', says: 'a broken vendor is answered at the second', waits: ['~1'] },
  { name: 'sandbox/429-after-1-then-ok', says: 'a limit is waited for as long as it says', waits: [1] },
  { name: 'sandbox/429-after-3-4-times-then-ok', says: 'four limits are answered at the fifth', waits: [3, 3, 3, 3] },
  {
    name: 'sandbox/529',
    says: 'an overload that stays is raised',
    waits: ['~1', '~2', '~4', '~4'],
    raised: overloaded,
  },
  {
    name: 'sandbox/400',
    says: 'a wrong request is not retried',
    waits: [],
    raised: ['BadRequestError', 400, 'invalid_request_error'],
  },
  {
    name: 'sandbox/401',
    says: "a refusal of the gateway's key is not retried",
    waits: [],
    raised: ['InternalServerError', 502, 'api_error'],
  },
  {
    name: 'sandbox/quota-period',
    says: 'a used-up account is not retried',
    waits: [],
    raised: ['InternalServerError', 502, 'api_error'],
  },
  {
    name: 'stream:sandbox/error-first-then-ok',
    says: 'a stream that fails before its content is retried',
    waits: ['~1'],
  },
  {
    name: 'stream:sandbox/error-after-2',
    says: 'a stream that fails after its content raises, without a status to retry',
    waits: [],
    raised: ['APIStatusError', 200, 'overloaded_error'],
  },
  {
    name: 'stream:sandbox/cut-after-2',
    says: 'a stream that is cut raises, and is never half an answer',
    waits: [],
    raised: ['APIStatusError', 200, 'api_error'],
  },
]

test('the usual loop of a caller, with the plain Anthropic SDK of Python', async (context) => {
  const setup = await setUpPython()
  if (setup.type === 'missing') {
    assert.ok(process.env['CI'] !== 'true', `the Python SDKs cannot be tested: ${setup.reason}`)
    console.error(`\n!! SKIPPED: the usual loop of a caller, because ${setup.reason}.\n`)
    context.skip(setup.reason)
    return
  }
  const gateway = await startTestGateway({ config: 'sandbox: { paceMs: 20 }' })
  try {
    const told = (await runPython(
      setup.python,
      '../faults/usual_loop.py',
      {
        KEYRUNG_URL: gateway.url,
        KEYRUNG_KEY: gateway.key,
        KEYRUNG_WAIT: '0.01',
      },
      cases.map(({ name }) => name),
    )) as Told[]
    for (const [index, one] of cases.entries()) {
      await context.test(`${one.name}: ${one.says}`, () => check(one, told[index]))
    }
    const attempts = cases.reduce((sum, { waits }) => sum + 1 + waits.length, 0)
    assert.equal(gateway.sandbox?.seen.length, attempts, 'requests that the vendor saw')
    assert.deepEqual(gateway.faults, [])
  } finally {
    await gateway.close()
  }
})

function check({ name, waits, raised }: Case, told: Told | undefined): void {
  assert.equal(told?.name, name)
  assert.equal(told.waits.length, waits.length, `waits: ${told.waits.join(', ')}`)
  for (const [index, wanted] of waits.entries()) {
    const got: number = told.waits[index] ?? NaN
    if (typeof wanted === 'number') assert.equal(got, wanted)
    else assert.ok(Math.abs(got / Number(wanted.slice(1)) - 1) <= 0.25, `waited ${got} s`)
  }
  if (raised === undefined) assert.match(told.said ?? '', /^You said: "Hello!"/)
  else assert.deepEqual([told.raised, told.status, told.type], raised)
}
