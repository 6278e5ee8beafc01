import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Places, placesMemory, type Place } from './places.ts'

const rules = { enabled: true, start: 8, least: 2, most: 10, factor: 0.75 }

function scene() {
  const memory = placesMemory()
  let nowMs = 1000
  const places = (worker: number): Places => new Places({ memory, worker, nowMs: () => nowMs })
  return { places, later: (ms: number) => (nowMs += ms) }
}

/** So many calls that went well, while as many are under way as may be. */
function wellTimes(place: Place, times: number): void {
  while (place.taken + 1 < place.limit(rules)) place.take(rules.most)
  for (let time = 0; time < times; time += 1) place.wentWell(rules)
}

suite('places of a credential', () => {
  test('are taken up to the number that there are, by all workers together', () => {
    const { places } = scene()
    const [one, other] = [places(0).of('a'), places(1).of('a')] as [Place, Place]
    assert.deepEqual([one.take(2), other.take(2), one.take(2)], [true, true, false])
    assert.equal(one.taken, 2)
    other.leave()
    assert.equal(one.take(2), true)
  })

  test('are counted for each credential', () => {
    const { places } = scene()
    const all = places(0)
    assert.equal(all.of('a')?.take(1), true)
    assert.equal(all.of('b')?.take(1), true)
  })

  test('of a worker that is gone are free again', () => {
    const { places } = scene()
    places(3).of('a')?.take(1)
    places(0).forget(3)
    assert.equal(places(0).of('a')?.taken, 0)
  })

  test('grow by one after as many successes as there are places', () => {
    const { places } = scene()
    const place = places(0).of('a') as Place
    wellTimes(place, 7)
    assert.equal(place.limit(rules), 8)
    place.wentWell(rules)
    assert.equal(place.limit(rules), 9)
  })

  test('grow once a second at most, and not beyond the most', () => {
    const { places, later } = scene()
    const place = places(0).of('a') as Place
    wellTimes(place, 100)
    assert.equal(place.limit(rules), 9)
    for (let second = 0; second < 5; second += 1) {
      later(1000)
      wellTimes(place, 100)
    }
    assert.equal(place.limit(rules), 10)
  })

  test('are cut when the vendor says that it is too much, once for each burst, and not below the least', () => {
    const { places, later } = scene()
    const place = places(0).of('a') as Place
    for (let refusal = 0; refusal < 20; refusal += 1) place.tooMuch(rules)
    assert.equal(place.limit(rules), 6)
    for (let second = 0; second < 10; second += 1) {
      later(1000)
      place.tooMuch(rules)
    }
    assert.equal(place.limit(rules), 2)
  })

  test('do not grow while they are not used', () => {
    const { places } = scene()
    const place = places(0).of('a') as Place
    for (let time = 0; time < 100; time += 1) place.wentWell(rules)
    assert.equal(place.limit(rules), 8)
  })

  test('do not grow on successes from before a refusal', () => {
    const { places, later } = scene()
    const place = places(0).of('a') as Place
    place.tooMuch(rules)
    wellTimes(place, 5)
    place.tooMuch(rules)
    later(1000)
    place.wentWell(rules)
    assert.equal(place.limit(rules), 6)
  })
})
