import type { NanoDollars } from '../../core/price.ts'

const nanoPerDollar = 1_000_000_000n

/** An amount as a decimal number of dollars, to the last billionth: `12.5`. */
export function dollars(nano: NanoDollars): string {
  const amount = BigInt(Math.abs(nano))
  const decimals = String(amount % nanoPerDollar)
    .padStart(9, '0')
    .replace(/0+$/, '')
  const whole = `${nano < 0 ? '-' : ''}${amount / nanoPerDollar}`
  return decimals === '' ? whole : `${whole}.${decimals}`
}

/** What a decimal number of dollars with up to nine decimals comes to; undefined where that is more than can be counted. */
export function nanoOf(text: string): NanoDollars | undefined {
  const [whole = '', decimals = ''] = text.split('.', 2)
  const amount = Number(BigInt(whole) * nanoPerDollar + BigInt(decimals.padEnd(9, '0')))
  return Number.isSafeInteger(amount) ? amount : undefined
}
