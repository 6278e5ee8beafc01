import type { IncomingMessage } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'

/** So many wrong tokens an address may show in a window that begins with the first. */
const strikesMax = 30
const windowMs = 60_000

/** So many addresses are remembered; the one whose window began first makes room. */
const addressesMax = 10_000

/** Counts wrong tokens by address, so that guessing and a program with an old token cost little. */
export class Strikes {
  readonly #windows = new Map<string, { count: number; sinceMs: number }>()

  /** How long this address is to be sent away; 0 for not at all. */
  waitMs(address: string, nowMs: number): number {
    const window = this.#window(address, nowMs)
    return window === undefined || window.count < strikesMax ? 0 : window.sinceMs + windowMs - nowMs
  }

  add(address: string, nowMs: number): void {
    const window = this.#window(address, nowMs)
    if (window !== undefined) {
      window.count += 1
      return
    }
    if (this.#windows.size >= addressesMax) this.#windows.delete(this.#windows.keys().next().value ?? '')
    this.#windows.set(address, { count: 1, sinceMs: nowMs })
  }

  /** The window that is open; one that has passed goes, also where the clock was set back. */
  #window(address: string, nowMs: number): { count: number; sinceMs: number } | undefined {
    const window = this.#windows.get(address)
    if (window === undefined) return undefined
    const ageMs = nowMs - window.sinceMs
    if (ageMs >= 0 && ageMs < windowMs) return window
    this.#windows.delete(address)
    return undefined
  }
}

/** The other end of the socket; of IPv6 the /64, which is what one who asks has to choose from. */
export function socketAddress(request: IncomingMessage): string {
  return network(request.socket.remoteAddress ?? '')
}

/** What of an address is one party's own. */
export function network(address: string): string {
  const [bare = ''] = address.toLowerCase().split('%', 1)
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(bare)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!isIPv6(bare)) return bare
  const [head = '', tail] = bare.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0')
  const groups = [...left, ...zeros, ...right].slice(0, 4)
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`
}
