import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { faultList, faults, findFault, unknownFault } from './index.ts'
import { CallMemory } from './memory.ts'

suite('the list of faults', () => {
  test('each has a name of its own and a sentence', () => {
    assert.equal(new Set(faults.map(({ name }) => name)).size, faults.length)
    for (const { name, about, max } of faults) {
      assert.match(about, /^[A-Z0-9].*\.$/, name)
      assert.equal(max > 0, /-(N|MS)$/.test(name), name)
    }
  })

  test('each is found by its example', () => {
    for (const { name, example } of faultList()) assert.equal(findFault(example)?.fault.name, name)
  })
})

const names: [name: string, found: [fault: string, count: number, times: number | undefined] | undefined][] = [
  ['429', ['429', 0, undefined]],
  ['429-after-7', ['429-after-N', 7, undefined]],
  ['429-after-ms-1200', ['429-after-ms-N', 1200, undefined]],
  ['slow-50', ['slow-MS', 50, undefined]],
  ['529-then-ok', ['529', 0, 1]],
  ['529-3-times-then-ok', ['529', 0, 3]],
  ['429-after-1-2-times-then-ok', ['429-after-N', 1, 2]],
  ['cut-after-0', ['cut-after-N', 0, undefined]],
  ['slow-600001', undefined],
  ['529-0-times-then-ok', undefined],
  ['529-101-times-then-ok', undefined],
  ['cut-after', undefined],
  ['cut-after-N', undefined],
  ['cut-3', undefined],
  ['429-7', undefined],
  ['-then-ok', undefined],
  ['', undefined],
]
for (const [name, expected] of names) {
  test(`the name '${name}' is ${expected === undefined ? 'no fault' : expected.join(', ')}`, () => {
    const found = findFault(name)
    assert.deepEqual(found && [found.fault.name, found.count, found.times], expected)
  })
}

test('a name that is none is told the nearest', () => {
  assert.match(unknownFault('cut-afer-3'), /no fault 'cut-afer-3'\. The nearest are cut-after-N \(at most 100000\), /)
  assert.match(unknownFault('statl-before'), /nearest are stall-before, /)
  assert.match(unknownFault('430-then-ok'), /nearest are (\d+, ){2}\d+\.$/)
  assert.ok(unknownFault('x'.repeat(10_000)).length < 300)
})

suite('the memory of calls', () => {
  test('by turns: so many fail, one goes well', () => {
    const memory = new CallMemory()
    const turns = Array.from({ length: 6 }, () => memory.faulty('a', 2))
    assert.deepEqual(turns, [true, true, false, true, true, false])
  })

  test('callers do not share it', () => {
    const memory = new CallMemory()
    assert.deepEqual([memory.faulty('a', 1), memory.faulty('b', 1), memory.faulty('a', 1)], [true, true, false])
  })

  test('it is bounded, and forgets who has not called for longest', () => {
    const memory = new CallMemory()
    memory.faulty('old', 5)
    memory.faulty('kept', 1)
    for (let count = 0; count < 1022; count += 1) memory.faulty(`other ${count}`, 1)
    memory.faulty('old', 5)
    memory.faulty('one more', 1)
    assert.deepEqual([memory.faulty('old', 2), memory.faulty('kept', 1)], [false, true])
  })
})
