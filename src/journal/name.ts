/** Which file of which writer: a name is never used twice, so that a writer never goes on in a file of an earlier one. */
export interface FileName {
  /** The writer: its name and when it was started, `worker-0.1767225600000`. */
  readonly writer: string
  /** Which of its files, from 0. */
  readonly sequence: number
}

/** A writer's own name among all that there ever were. Throws RangeError for a name that makes no file name. */
export function writerName(name: string, startedMs: number): string {
  const writer = `${name}.${startedMs}`
  if (parseName(fileName(writer, 0)) === undefined) {
    throw new RangeError(
      `A journal cannot be named "${writer}": letters, digits and hyphens, then a whole number of milliseconds.`,
    )
  }
  return writer
}

/** `worker-0.1767225600000.0.journal` */
export function fileName(writer: string, sequence: number): string {
  return `${writer}.${sequence}.journal`
}

/** Undefined for a file that is no journal, one that was put aside among them. */
export function parseName(file: string): FileName | undefined {
  const [, writer, sequence] = /^([A-Za-z0-9-]+\.\d{1,16})\.(\d{1,9})\.journal$/.exec(file) ?? []
  return writer === undefined ? undefined : { writer, sequence: Number(sequence) }
}
