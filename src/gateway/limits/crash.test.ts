import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Draft } from './draft.ts'
import { Locks } from './locks.ts'
import { call, cell, draft as draftCell, Layout, slotCells } from './memory.ts'
import { LimitTable } from './table.ts'
import { keySlot, ownerSlot, Trial } from './testing.ts'

const dead = 3
const limits = { callsAtOnce: 1, tokensPerDay: 1000 }

/** A worker that ends in the midst of a change: it has copied the slots and set the key's calls to 1. */
function begun(trial: Trial): { draft: Draft; layout: Layout } {
  const layout = new Layout(trial.memory)
  const draft = new Draft(layout, new Locks(layout, dead), dead)
  draft.begin(keySlot, ownerSlot)
  draft.key[cell.calls] = 1
  draft.owner[cell.calls] = 1
  draft.call.fill(0)
  draft.call[call.open] = 1
  draft.call[call.keySlot] = keySlot
  draft.call[call.ownerSlot] = ownerSlot
  return { draft, layout }
}

suite('limits: a worker that ends in the midst of its work', () => {
  test('what it has locked can be used again, and what it had not decided on has not been', () => {
    const trial = new Trial(limits, limits)
    begun(trial)
    trial.table.breakLocks(dead)
    assert.equal(trial.cells().calls, 0)
    trial.take()
  })

  test('a lock on one of two slots is opened as well', () => {
    const trial = new Trial(limits, limits)
    new Locks(new Layout(trial.memory), dead).take(ownerSlot, -1)
    trial.table.breakLocks(dead)
    trial.take()
  })

  test('locks of others stay', () => {
    const trial = new Trial(limits, limits)
    const layout = new Layout(trial.memory)
    new Locks(layout, 4).take(keySlot, -1)
    trial.table.breakLocks(dead)
    assert.equal(Atomics.load(layout.flags, layout.lock(keySlot) * 2), 5)
  })

  test('who waits for a lock that nobody opens is told at last, and holds none himself', () => {
    const trial = new Trial(limits, limits)
    const layout = new Layout(trial.memory)
    new Locks(layout, dead).take(ownerSlot, -1)
    assert.throws(() => trial.ask(), /slot 5 have been locked by worker 3/)
    assert.equal(Atomics.load(layout.flags, layout.lock(keySlot) * 2), 0)
  })

  for (let copied = 0; copied <= 2 * slotCells; copied += 1) {
    test(`what it had decided on is done, when ${copied} cells had been written`, () => {
      const trial = new Trial(limits, limits)
      const { layout } = begun(trial)
      const start = layout.draft(dead)
      const callAt = layout.call(dead, 7)
      layout.cells[start + draftCell.callAt] = callAt
      Atomics.store(layout.flags, (start + draftCell.decided) * 2, 1)
      // The key's cells come first, then the owner's: a part of them is written already.
      for (let at = 0; at < copied; at += 1) {
        const slot = at < slotCells ? layout.slot(keySlot) + at : layout.slot(ownerSlot) + at - slotCells
        layout.cells[slot] = layout.cells[start + draftCell.key + at] as number
      }
      trial.table.breakLocks(dead)
      assert.deepEqual([trial.cells(keySlot).calls, trial.cells(ownerSlot).calls], [1, 1])
      assert.equal(layout.cells[callAt + call.open], 1)
      assert.equal(trial.refused().limit, 'callsAtOnce')
      // Once done, it is not done again.
      assert.equal(trial.table.forget(dead, trial.at), 1)
      trial.use({ inputTokens: 7 })
      trial.table.breakLocks(dead)
      assert.deepEqual([trial.cells().calls, trial.cells().dayTokens], [0, 7])
    })
  }

  test('to take its calls off opens its locks too', () => {
    const trial = new Trial(limits, limits)
    begun(trial)
    assert.equal(trial.table.forget(dead, trial.at), 0)
    trial.take()
  })

  test('what it has finished is not done again', () => {
    const trial = new Trial({}, {})
    const other = new LimitTable(trial.memory, dead)
    other.reserve(trial.account, { inputTokens: 5, outputTokens: 0, nanoDollars: 0 }, trial.at)
    trial.use({ inputTokens: 7 })
    trial.table.breakLocks(dead)
    assert.equal(trial.cells().dayTokens, 12)
  })

  test('a worker that takes its number before its calls are taken off does not write over them', () => {
    const trial = new Trial({}, {})
    trial.take()
    const next = new Trial({}, {}, trial.memory)
    next.take()
    assert.equal(next.table.forget(0, next.at), 2)
    assert.equal(next.cells().calls, 0)
  })

  test('its calls are taken off, and charged with what they had set aside', () => {
    const trial = new Trial(limits, limits)
    trial.take({ inputTokens: 10, outputTokens: 30 })
    const later = new Trial(limits, limits, trial.memory)
    assert.equal(later.table.forget(0, later.at), 1)
    const { calls, tokensHeld, dayTokens } = later.cells(ownerSlot)
    assert.deepEqual([calls, tokensHeld, dayTokens], [0, 0, 40])
    assert.equal(later.table.forget(0, later.at), 0)
  })

  test('or with what the operator says', () => {
    const trial = new Trial(limits, limits)
    trial.take({ inputTokens: 10, outputTokens: 30, nanoDollars: 5 })
    trial.table.forget(0, trial.at, ({ inputTokens }) => ({ inputTokens, outputTokens: 0, nanoDollars: 1 }))
    const { dayTokens, monthTokens, dayNano } = trial.cells()
    assert.deepEqual([dayTokens, monthTokens, dayNano], [10, 10, 1])
  })

  test('calls of others stay, and settle as always', () => {
    const trial = new Trial({}, {})
    const reservation = trial.take({ inputTokens: 5 })
    trial.table.forget(1, trial.at)
    assert.equal(trial.cells().calls, 1)
    trial.settle(reservation)
    assert.equal(trial.cells().calls, 0)
  })
})
