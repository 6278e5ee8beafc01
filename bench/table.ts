import type { Row } from './measure.ts'
import type { Kind } from './targets.ts'

/** The rows as a table for people: what each target costs, the gateway's ratio with its uncertainty, and the bars. */
export function table(rows: readonly Row[]): string {
  const withNginx = rows.some((row) => row.cost.nginx !== undefined)
  const columns = [
    column('', rows, (row) => row.name, 'left'),
    column('per', rows, (row) => row.per, 'left'),
    ...(withNginx ? [column('nginx', rows, (row) => cost(row, 'nginx'))] : []),
    column('relay', rows, (row) => cost(row, 'relay')),
    column('gateway', rows, (row) => cost(row, 'gateway')),
    column('ratio', rows, (row) => row.ratio.gateway?.median.toFixed(2) ?? '-'),
    column('95% within', rows, ({ ratio: { gateway } }) =>
      gateway === undefined ? '-' : `${gateway.low.toFixed(2)}-${gateway.high.toFixed(2)}`,
    ),
    column('bar', rows, (row) => (row.most === undefined ? (row.bar?.toFixed(1) ?? '-') : `${row.most} ${row.unit}`)),
    column('', rows, verdict, 'left'),
  ]
  const lines = [0, ...rows.keys().map((row) => row + 1)].map((line) =>
    columns
      .map((cells) => cells[line])
      .join('  ')
      .trimEnd(),
  )
  const notes = rows.filter((row) => row.note !== undefined).map((row) => `${row.name}: ${row.note}`)
  return [...lines, ...notes].join('\n')
}

/** Whether a row's median keeps to its bar; undefined where there is none. */
export function met(row: Row): boolean | undefined {
  if (row.most !== undefined) return (row.cost.gateway ?? Infinity) <= row.most
  const ratio = row.ratio.gateway
  return row.bar === undefined || ratio === undefined ? undefined : ratio.median <= row.bar
}

/** A title and a cell for each row, all of one width. */
function column(title: string, rows: readonly Row[], cell: (row: Row) => string, side: 'left' | 'right' = 'right') {
  const cells = [title, ...rows.map(cell)]
  const width = Math.max(...cells.map((text) => text.length))
  return cells.map((text) => (side === 'left' ? text.padEnd(width) : text.padStart(width)))
}

function cost(row: Row, kind: Kind): string {
  const figure = row.cost[kind]
  if (figure === undefined) return '-'
  return `${figure.toFixed(figure < 10 ? 2 : figure < 100 ? 1 : 0)} ${row.unit}`
}

function verdict(row: Row): string {
  const kept = met(row)
  return kept === undefined ? '' : kept ? 'met' : 'not met'
}
