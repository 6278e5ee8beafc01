import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Health, healthMemory } from './health.ts'
import { Trial, usual } from './testing.ts'

const nowMs = (): number => 1_000_000
const minuteMs = 60_000

/** So many keys, as they come. */
function keys(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `anthropic/claude-${index}#default`)
}

function good(health: Health, key: string): void {
  health.of(key).ended({ failure: undefined, contentMs: undefined, probe: false }, usual)
}

test('health: a key has one place, and each its own', () => {
  const health = new Health(healthMemory(), nowMs)
  for (const key of keys(512)) good(health, key)
  for (const key of keys(512)) assert.equal(health.of(key).window(minuteMs).calls, 1, key)
})

test('health: the same object is given for the same key', () => {
  const health = new Health(healthMemory(), nowMs)
  assert.equal(health.of('a/b#c'), health.of('a/b#c'))
})

test('health: threads that meet the keys in another order find the same places', () => {
  const memory = healthMemory()
  const one = new Health(memory, nowMs)
  const other = new Health(memory, nowMs)
  for (const key of keys(400)) good(one, key)
  for (const key of keys(400).toReversed()) good(other, key)
  for (const key of keys(400)) assert.equal(one.of(key).window(minuteMs).calls, 2, key)
})

test('health: keys whose first 32 bits of the hash are the same do not share a place', () => {
  const health = new Health(new SharedArrayBuffer(healthMemory().byteLength / 512), nowMs)
  good(health, 'vendor/model-15530#default')
  assert.equal(health.of('vendor/model-64673#default').window(minuteMs).calls, 0)
})

test('health: it takes a few megabytes at most', () => {
  assert.ok(healthMemory().byteLength < 8e6)
})

test('health: where no slot is left, a place is known to its own thread', () => {
  const memory = healthMemory()
  const one = new Health(memory, nowMs)
  const other = new Health(memory, nowMs)
  for (const key of keys(512)) one.of(key)
  good(one, 'late')
  assert.equal(one.of('late').window(minuteMs).calls, 1)
  assert.equal(other.of('late').window(minuteMs).calls, 0)
  good(one, 'anthropic/claude-0#default')
  assert.equal(other.of('anthropic/claude-0#default').window(minuteMs).calls, 1)
})

test('health: such places are limited too, and the one not used for longest makes room', () => {
  const health = new Health(new SharedArrayBuffer(0), nowMs)
  for (const key of keys(64)) good(health, key)
  assert.equal(health.of('anthropic/claude-0#default').window(minuteMs).calls, 1)
  for (let more = 0; more < 63; more += 1) good(health, `more/${more}`)
  assert.equal(health.keys().length, 64)
  assert.equal(health.of('anthropic/claude-0#default').window(minuteMs).calls, 1)
  assert.equal(health.of('anthropic/claude-1#default').window(minuteMs).calls, 0)
})

test('health: the keys asked for are told', () => {
  const memory = healthMemory()
  const health = new Health(memory, nowMs)
  new Health(memory, nowMs).of('x/y#z')
  health.of('a/b#c')
  health.of('a/b#d')
  health.of('a/b#c')
  assert.deepEqual(health.keys(), ['a/b#c', 'a/b#d'])
})

test('health: a place that is well, fails, is limited and recovers, as a ladder sees it', () => {
  const place = new Trial()
  assert.deepEqual(place.standing(), { type: 'well', forMs: 0, failuresInRow: 0, retries: true })
  place.bad('vendor-broken', 2)
  assert.deepEqual(place.standing(), { type: 'well', forMs: 0, failuresInRow: 2, retries: true })
  place.bad('vendor-limit')
  assert.deepEqual(place.standing(), {
    type: 'resting',
    reason: 'limited',
    forMs: 1000,
    failuresInRow: 2,
    retries: true,
  })
  place.bad('vendor-overloaded', 1, 500)
  assert.deepEqual(place.standing(), { type: 'barred', reason: 'failing', forMs: 500, failuresInRow: 3, retries: true })
  place.pass(500)
  place.bad('vendor-broken', 2)
  assert.deepEqual(place.standing(), {
    type: 'resting',
    reason: 'failing',
    forMs: 5000,
    failuresInRow: 5,
    retries: true,
  })
  place.pass(5000)
  assert.deepEqual(place.standing(), { type: 'probe', forMs: 0, failuresInRow: 5, retries: true })
  assert.ok(place.probe() && place.probe() && place.probe())
  assert.deepEqual(place.standing(), { type: 'well', forMs: 0, failuresInRow: 0, retries: true })
})
