import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Failure, type FailureKind } from './failure.ts'
import { nextStep, Secret, type Ladder, type Rung, type Try } from './ladder.ts'

const ladder = (rungs: number, triesMax = 3): Ladder => ({
  rungs: Array.from({ length: rungs }, () => ({}) as Rung),
  triesMax,
  deadlines: { connectMs: 1, firstByteMs: 1, idleMs: 1, wholeCallMs: 1, streamedCallMs: 1 },
})
const failed = (rung: number, kind: FailureKind, unsent = false): Try => ({
  rung,
  failure: new Failure(kind, 'x', { unsent }),
})

const cases: [sentence: string, ladder: Ladder, tries: Try[], next: number | 'stop'][] = [
  ['a call begins at the first rung', ladder(2), [], 0],
  ['a caller’s own mistake is told at once', ladder(2), [failed(0, 'request-invalid')], 'stop'],
  ['a broken vendor is left for the next rung', ladder(2), [failed(0, 'vendor-broken')], 1],
  ['the last rung’s failure is the answer', ladder(1), [failed(0, 'vendor-overloaded')], 'stop'],
  ['a request that was surely never sent is tried once more', ladder(1), [failed(0, 'vendor-unreachable', true)], 0],
  ['but only once', ladder(1), [failed(0, 'vendor-unreachable', true), failed(0, 'vendor-unreachable', true)], 'stop'],
  [
    'there are never more tries than allowed',
    ladder(5, 2),
    [failed(0, 'vendor-broken'), failed(1, 'vendor-broken')],
    'stop',
  ],
  [
    'a try that was not sent does not count',
    ladder(5, 2),
    [failed(0, 'vendor-unreachable', true), failed(0, 'vendor-broken')],
    1,
  ],
  ['nobody is tried for a caller who has left', ladder(2), [failed(0, 'caller-gone')], 'stop'],
  ['our own bug is not tried elsewhere', ladder(2), [failed(0, 'gateway-fault')], 'stop'],
]

for (const [sentence, rungs, tries, next] of cases) {
  test(`nextStep: ${sentence}`, () => {
    const step = nextStep(rungs, tries)
    assert.equal(step.type === 'try' ? step.rung : 'stop', next)
  })
}

test('Secret: prints as its beginning and length, wherever it ends up', () => {
  const secret = new Secret('sk-ant-api03-very-secret')
  for (const text of [String(secret), JSON.stringify({ secret }), inspect(secret), inspect({ deep: [secret] })]) {
    assert.ok(!text.includes('secret-') && !text.includes('very'), text)
    assert.ok(text.includes('sk-a'), text)
  }
  assert.equal(secret.reveal(), 'sk-ant-api03-very-secret')
})
