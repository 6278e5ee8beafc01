/** What a journal needs of `node:fs`; handed in, so that a test can fill the disk or break it. */
export interface FileSystem {
  mkdirSync(path: string, options: { recursive: true; mode: number }): unknown
  openSync(path: string, flags: string, mode?: number): number
  closeSync(fd: number): void
  writeSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number
  ftruncateSync(fd: number, length: number): void
  fdatasyncSync(fd: number): void
  fdatasync(fd: number, done: (error: Error | null) => void): void
  fstatSync(fd: number): { readonly size: number }
  readSync(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number
  readdirSync(path: string): string[]
  renameSync(from: string, to: string): void
  unlinkSync(path: string): void
}

/** The system's name of an error, `ENOSPC`; undefined for one that is none of the system's. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
}
