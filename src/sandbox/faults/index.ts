import type { IncomingHttpHeaders } from 'node:http'
import { bodyFaults } from './bodies.ts'
import { connectionFaults } from './connections.ts'
import type { Answer, Fault, Reply } from './fault.ts'
import { find, nearest, type FoundFault } from './find.ts'
import type { CallMemory } from './memory.ts'
import { refused } from './refused.ts'
import { statusFaults } from './statuses.ts'
import { streamFaults } from './streams.ts'

/** All that can go wrong on demand. Names, docs and tests come from this list. */
export const faults: readonly Fault[] = [...statusFaults, ...connectionFaults, ...bodyFaults, ...streamFaults]

/** Asks for a fault by its name. */
export const faultHeader = 'x-sandbox-fault'
/** Any text: calls with the same one share the memory of the faults that go away again. */
export const callerHeader = 'x-sandbox-caller'

/** A fault as people are told of it. */
export interface FaultEntry {
  readonly name: string
  readonly about: string
  readonly moment: Fault['moment']
  /** A name that can be asked for as it stands. */
  readonly example: string
  /** The largest number in its name, where there is one. */
  readonly max?: number
}

/** What can be put behind any fault's name. */
export const faultSuffixes: readonly { readonly name: string; readonly about: string }[] = [
  { name: '-then-ok', about: 'One call meets the fault, the next one is answered, and so on by turns.' },
  { name: '-N-times-then-ok', about: 'N calls meet the fault, the next one is answered, and so on by turns.' },
]

/** The list for people: names, what the vendor does, an example each. */
export function faultList(): FaultEntry[] {
  return faults.map(({ name, about, moment, max }) => ({
    name,
    about,
    moment,
    example: name.replace(/MS$/, '50').replace(/N$/, '2'),
    ...(max > 0 && { max }),
  }))
}

/** The fault of this name, with its number; undefined where there is none. */
export function findFault(name: string): FoundFault | undefined {
  return find(faults, name)
}

/** What is wrong with a name that is no fault's, and which ones are nearest to it. */
export function unknownFault(name: string): string {
  const names = nearest(faults, name, 3).map((fault) =>
    fault.max > 0 ? `${fault.name} (at most ${fault.max})` : fault.name,
  )
  return `There is no fault '${name.slice(0, 64)}'. The nearest are ${names.join(', ')}.`
}

/** What becomes of this call: undefined where no fault is asked for, or where it is this call's turn to go well. */
export function faultOf(headers: IncomingHttpHeaders, memory: CallMemory): ((reply: Reply) => Answer) | undefined {
  const name = textOf(headers[faultHeader])
  if (name === '') return undefined
  const found = findFault(name)
  if (found === undefined)
    return (reply) => refused(reply, reply.vendor.refuse.request(`${faultHeader}: ${unknownFault(name)}`))
  const { fault, count, times } = found
  if (times !== undefined) {
    const caller = textOf(headers[callerHeader]).slice(0, 128)
    if (!memory.faulty(`${name} ${caller}`, times)) return undefined
  }
  return (reply) => fault.answer(reply, count)
}

function textOf(header: string | string[] | undefined): string {
  return (Array.isArray(header) ? header[0] : header)?.trim() ?? ''
}
