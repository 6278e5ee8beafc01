import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { PrefixCache } from './prefix-cache.ts'
import type { Segment } from './tokens.ts'

const tools: Segment = { key: 'tools', tokens: 100, mark: '1h' }
const system: Segment = { key: 'system', tokens: 20, mark: '5m' }
const turn: Segment = { key: 'turn', tokens: 3 }

suite('prompt caching', () => {
  test('without a mark everything is input', () => {
    const usage = new PrefixCache().bill([turn, turn])
    assert.deepEqual(usage, { input: 6, cacheRead: 0, cacheWrite5m: 0, cacheWrite1h: 0 })
  })

  test('the first time marked prefixes are written, by how long they live', () => {
    const usage = new PrefixCache().bill([tools, system, turn])
    assert.deepEqual(usage, { input: 3, cacheRead: 0, cacheWrite5m: 20, cacheWrite1h: 100 })
  })

  test('the second time they are read', () => {
    const cache = new PrefixCache()
    cache.bill([tools, system, turn])
    assert.deepEqual(cache.bill([tools, system, turn]), { input: 3, cacheRead: 120, cacheWrite5m: 0, cacheWrite1h: 0 })
  })

  test('a longer prompt reads its old prefix and writes the rest', () => {
    const cache = new PrefixCache()
    cache.bill([tools, turn])
    const usage = cache.bill([tools, system, turn])
    assert.deepEqual(usage, { input: 3, cacheRead: 100, cacheWrite5m: 20, cacheWrite1h: 0 })
  })

  test('a prefix of other words is another prefix', () => {
    const cache = new PrefixCache()
    cache.bill([tools])
    assert.equal(cache.bill([{ ...tools, key: 'other tools' }]).cacheWrite1h, 100)
  })
})
