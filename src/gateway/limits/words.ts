/** A span of time for people: its two largest units, rounded up. `5 hours and 12 minutes`. */
export function durationInWords(ms: number): string {
  if (ms <= 1000) return '1 second'
  const largest = units.findIndex((unit) => ms > unit.ms - unit.fineMs)
  const { name, ms: unitMs, fineMs } = units[largest] as Unit
  const whole = Math.ceil(ms / fineMs) * fineMs
  const rest = Math.round((whole % unitMs) / fineMs)
  const first = counted(Math.floor(whole / unitMs), name)
  return rest === 0 ? first : `${first} and ${counted(rest, units[largest + 1]?.name ?? '')}`
}

/** A number with its noun: `1 request`, `20,000 requests`. */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`
}

interface Unit {
  name: string
  ms: number
  /** What it is rounded to. */
  fineMs: number
}

const units: readonly Unit[] = [
  { name: 'day', ms: 86_400_000, fineMs: 3_600_000 },
  { name: 'hour', ms: 3_600_000, fineMs: 60_000 },
  { name: 'minute', ms: 60_000, fineMs: 1000 },
  { name: 'second', ms: 1000, fineMs: 1000 },
]
