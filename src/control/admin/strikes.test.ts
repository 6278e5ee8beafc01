import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { network, Strikes } from './strikes.ts'

suite('what of an address is one party’s own', () => {
  const cases: [address: string, own: string][] = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::1', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::9', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['', ''],
  ]
  for (const [address, own] of cases) {
    test(`of '${address}' it is '${own}'`, () => assert.equal(network(address), own))
  }
})

suite('strikes', () => {
  const struck = (count: number, address = 'a', nowMs = 0): Strikes => {
    const strikes = new Strikes()
    for (let index = 0; index < count; index += 1) strikes.add(address, nowMs)
    return strikes
  }

  test('29 let an address through, 30 do not', () => {
    assert.equal(struck(29).waitMs('a', 1), 0)
    assert.equal(struck(30).waitMs('a', 1), 59_999)
  })

  test('a minute after the first, all are forgotten', () => {
    const strikes = struck(30)
    assert.equal(strikes.waitMs('a', 59_999), 1)
    assert.equal(strikes.waitMs('a', 60_000), 0)
    strikes.add('a', 60_000)
    assert.equal(strikes.waitMs('a', 60_000), 0)
  })

  test('nobody is shut out longer because the clock was set back', () => {
    assert.equal(struck(30, 'a', 1_000_000).waitMs('a', 0), 0)
  })

  test('of more addresses than are remembered, the first make room', () => {
    const strikes = struck(30)
    for (let index = 0; index < 10_000; index += 1) strikes.add(`b${index}`, 1)
    assert.equal(strikes.waitMs('a', 1), 0)
  })
})
