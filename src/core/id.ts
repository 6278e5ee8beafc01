import { randomFillSync } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const pool = Buffer.allocUnsafe(4096)
let used = pool.length

/** Random base62 text from the system's secure source: 24 characters hold 142 bits. */
export function randomId(length: number): string {
  let id = ''
  while (id.length < length) {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const byte = pool[used++] as number
    // 248 = 4 x 62: larger bytes are passed over, so that every character is equally likely.
    if (byte < 248) id += alphabet[byte % 62]
  }
  return id
}

/**
 * An id that sorts by its time: 8 characters of the millisecond, then 16 of chance (95 bits). New ones stand together at
 * the end of an index; random ones would touch a page of it each.
 */
export function timeId(nowMs: number): string {
  return base62(nowMs, 8) + randomId(16)
}

/** `digits` base62 characters of a non-negative integer, leading zeros kept. */
export function base62(value: number, digits: number): string {
  let text = ''
  for (let rest = value; text.length < digits; rest = Math.floor(rest / 62)) text = `${alphabet[rest % 62]}${text}`
  return text
}
