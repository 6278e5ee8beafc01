import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { dollars, nanoOf } from './money.ts'

suite('nano-dollars as dollars, exactly', () => {
  const cases: [nano: number, text: string][] = [
    [0, '0'],
    [1, '0.000000001'],
    [10, '0.00000001'],
    [500_000_000, '0.5'],
    [1_000_000_000, '1'],
    [12_340_000_000, '12.34'],
    [-1_500_000_000, '-1.5'],
    [Number.MAX_SAFE_INTEGER, '9007199.254740991'],
  ]
  for (const [nano, text] of cases) {
    test(`${nano} is ${text}`, () => {
      assert.equal(dollars(nano), text)
      if (nano >= 0) assert.equal(nanoOf(text), nano)
    })
  }

  test('zeros at the end change nothing', () => {
    assert.equal(nanoOf('12.50'), 12_500_000_000)
    assert.equal(nanoOf('0007'), 7_000_000_000)
  })

  test('what a sum could not hold exactly is none', () => {
    assert.equal(nanoOf('9007199.254740992'), undefined)
    assert.equal(nanoOf('9999999'), undefined)
  })
})
