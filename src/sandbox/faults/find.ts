import type { Fault } from './fault.ts'

/** A fault as it was asked for. */
export interface FoundFault {
  readonly fault: Fault
  readonly count: number
  /** How many calls meet it before one is let through; undefined: all. */
  readonly times: number | undefined
}

const timesMax = 100

/** Reads a name: `429`, `cut-after-3`, `529-then-ok`, `429-after-1-2-times-then-ok`. Undefined for what is none. */
export function find(faults: readonly Fault[], name: string): FoundFault | undefined {
  const [, passing, timesText = '1'] = /^(.+?)(?:-(\d{1,3})-times)?-then-ok$/.exec(name) ?? []
  const times = passing === undefined ? undefined : Number(timesText)
  if (times !== undefined && (times < 1 || times > timesMax)) return undefined
  const base = passing ?? name
  const plain = faults.find((fault) => fault.max === 0 && fault.name === base)
  if (plain !== undefined) return { fault: plain, count: 0, times }
  const [, stem, digits] = /^(.+)-(\d{1,9})$/.exec(base) ?? []
  const counted = faults.find((fault) => fault.max > 0 && fault.name.replace(/-(N|MS)$/, '') === stem)
  const count = Number(digits)
  return counted === undefined || count > counted.max ? undefined : { fault: counted, count, times }
}

/** The faults whose names are most like one that is none, best first. */
export function nearest(faults: readonly Fault[], name: string, most: number): Fault[] {
  const wanted = name.replace(/(-\d+-times)?-then-ok$/, '').replace(/(?<=-)\d+$/, 'N')
  return faults
    .map((fault) => ({ fault, distance: distance(wanted, fault.name.replace(/-MS$/, '-N')) }))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, most)
    .map(({ fault }) => fault)
}

const lengthMax = 64

/** How many letters must be added, left out or changed. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [at, letter] of Array.from(from.slice(0, lengthMax)).entries()) {
    const next = [at + 1]
    for (let index = 1; index <= to.length; index += 1) {
      const changed = (row[index - 1] as number) + (to[index - 1] === letter ? 0 : 1)
      next.push(Math.min(changed, (row[index] as number) + 1, (next[index - 1] as number) + 1))
    }
    row = next
  }
  return row.at(-1) as number
}
