import type { ReceiptView } from '../service.ts'

/** Receipts as text, a piece for each page of them. */
export function* exported(pages: Iterable<readonly ReceiptView[]>, form: 'csv' | 'jsonl'): Generator<string> {
  if (form === 'csv') yield csvLine([...csvColumns])
  for (const page of pages) {
    if (page.length > 0) yield page.map(form === 'csv' ? csvReceipt : jsonReceipt).join('')
  }
}

function jsonReceipt(receipt: ReceiptView): string {
  return `${JSON.stringify(receipt)}\n`
}

/** New ones come last: who reads a file by its columns' places must be able to go on. */
const csvColumns = `
  id startedAt firstByteAt endedAt key owner plan clientId dialect modelAsked model vendor ladder simulated
  stream status failure blame times inputTokens outputTokens cacheReadTokens cacheWriteTokens thinkingTokens
  nanoDollars requestBytes replyBytes tries`
  .trim()
  .split(/\s+/) as readonly (keyof ReceiptView)[]

function csvReceipt(receipt: ReceiptView): string {
  return csvLine(csvColumns.map((name) => cell(name, receipt[name])))
}

function cell(name: keyof ReceiptView, value: ReceiptView[keyof ReceiptView]): string {
  if (value === undefined) return ''
  if (typeof value === 'object') return String(value.length)
  if (typeof value === 'number') return name.endsWith('At') ? new Date(value).toISOString() : String(value)
  return inert(String(value))
}

/** Callers choose some of these texts, and a spreadsheet reckons with one that begins like this. */
function inert(text: string): string {
  return /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

/** By RFC 4180. */
function csvLine(cells: readonly string[]): string {
  return `${cells.map((text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)).join(',')}\r\n`
}
