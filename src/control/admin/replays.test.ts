import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Replays } from './replays.ts'

suite('answers that are remembered', () => {
  test('hold no secret', () => {
    const replays = new Replays()
    replays.keep('a', 'digest', { json: { id: 1, secret: null }, secret: 'canary' }, 0)
    assert.ok(!JSON.stringify(replays.find('a', 'digest', 0)).includes('canary'))
  })

  test('are 10,000, of which the oldest make room', () => {
    const replays = new Replays()
    for (let index = 0; index <= 10_000; index += 1) replays.keep(`key ${index}`, 'digest', { json: {} }, 0)
    assert.equal(replays.find('key 0', 'digest', 0), undefined)
    assert.deepEqual(replays.find('key 1', 'digest', 0)?.json, {})
  })

  test('are fewer where they are large', () => {
    const replays = new Replays()
    const json = { text: 'x'.repeat(1024 * 1024) }
    for (let index = 0; index < 8; index += 1) replays.keep(`key ${index}`, 'digest', { json }, 0)
    assert.equal(replays.find('key 0', 'digest', 0), undefined)
    assert.notEqual(replays.find('key 1', 'digest', 0), undefined)
  })

  test('make room where they are kept anew', () => {
    const replays = new Replays()
    const json = { text: 'x'.repeat(3 * 1024 * 1024) }
    for (let index = 0; index < 8; index += 1) replays.keep('same', `digest ${index}`, { json }, 0)
    replays.keep('other', 'digest', { json }, 0)
    assert.notEqual(replays.find('same', 'digest 7', 0), undefined)
  })
})
