import { BlockList, isIP } from 'node:net'
import * as z from 'zod'
import { ladderName } from '../config-ladder.ts'

/** Text for people, in one line: stored as it is, and nothing in it does anything. */
export function text(charactersMax: number) {
  return (
    z
      .string()
      .min(1)
      .max(charactersMax)
      .regex(/^\P{Cc}*$/u, 'must not hold control characters')
      // They would make a name look like another one.
      .regex(/^[^\u202A-\u202E\u2066-\u2069]*$/, 'must not hold signs that turn the direction of text')
      .refine((value) => value.isWellFormed(), 'must not hold halves of characters')
  )
}

/** Text that is only compared with what there is. */
export const reference = text(200)

export const metadata = z
  .record(
    text(50).refine((name) => name !== '__proto__', 'must be another name'),
    z
      .string()
      .max(500)
      .regex(/^(\P{Cc}|[\t\n\r])*$/u, 'must not hold control characters')
      .refine((value) => value.isWellFormed(), 'must not hold halves of characters'),
  )
  .refine((entries) => Object.keys(entries).length <= 20, 'must have at most 20 entries')

/** Names of models, or patterns in which `*` stands for any text. */
export const models = z.array(text(200)).min(1).max(100)

/** Where calls may come from. */
export const networks = z
  .array(z.string().max(50).refine(isNetwork, 'must be an address or a network as in 10.0.0.0/8'))
  .min(1)
  .max(100)

function isNetwork(value: string): boolean {
  const [address = '', prefix, ...rest] = value.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || rest.length > 0) return false
  if (prefix === undefined) return true
  if (!/^(0|[1-9]\d{0,2})$/.test(prefix)) return false
  try {
    new BlockList().addSubnet(address, Number(prefix), version === 4 ? 'ipv4' : 'ipv6')
    return true
  } catch {
    // The prefix is longer than the address.
    return false
  }
}

const count = z.int().min(0).optional()

/** How much may be used. A burst of none would let no call through ever. */
export const limits = z.strictObject({
  requestsPerMinute: count,
  requestsBurst: z.int().min(1).optional(),
  inputTokensPerMinute: count,
  outputTokensPerMinute: count,
  callsAtOnce: count,
  tokensPerDay: count,
  tokensPerMonth: count,
  nanoDollarsPerDay: count,
  nanoDollarsPerMonth: count,
})

export const ladder = ladderName

/** Unix milliseconds, up to the year 9999. */
export const time = z.int().min(0).max(253_402_300_799_999)

const dayMs = 24 * 3_600_000
export const captureMs = z
  .int()
  .min(1)
  .max(90 * dayMs)
export const graceMs = z
  .int()
  .min(0)
  .max(30 * dayMs)

/** The version that was last read; 0 for what must not be there yet. */
export const version = z.int().min(0).optional()

/** How much of a list is asked for. */
export const paging = {
  cursor: z.string().max(1000).optional(),
  limit: z.int().min(1).max(200).optional(),
} as const
export const pageRows = 50
