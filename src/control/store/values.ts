import type { Row, Value } from './database.ts'

/** Reading and writing columns: what a row holds was checked when it was written. */
export function textOf(row: Row, name: string): string {
  return String(row[name])
}

export function numberOf(row: Row, name: string): number {
  return Number(row[name])
}

export function maybeText(row: Row, name: string): string | undefined {
  const value = row[name]
  return value === null || value === undefined ? undefined : String(value)
}

export function maybeNumber(row: Row, name: string): number | undefined {
  const value = row[name]
  return value === null || value === undefined ? undefined : Number(value)
}

/** Bytes with a buffer of their own. */
export function bytesOf(row: Row, name: string): Uint8Array {
  return Uint8Array.from(row[name] as Uint8Array)
}

export function maybeJson<T>(row: Row, name: string): T | undefined {
  const text = maybeText(row, name)
  return text === undefined ? undefined : (JSON.parse(text) as T)
}

export function jsonValue(value: unknown): Value {
  return value === undefined || value === null ? null : JSON.stringify(value)
}
