import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigError } from './config.ts'

/**
 * Holds a data folder for this process alone, since two of them would count limits apart and read the same journals. The lock is one of
 * the system on a file, so it ends with the process, however that ends. Gives back how to let go. Throws ConfigError.
 */
export function lockData(folder: string): () => void {
  const file = join(folder, 'lock')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = new DatabaseSync(file, { timeout: 0 })
    lock.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;')
    return () => lock.close()
  } catch (error) {
    const busy = error instanceof Error && /locked|busy/.test(error.message)
    throw new ConfigError([
      busy
        ? `${folder}: another Keyrung uses this folder. Stop that one, or start with --data and a folder of its own.`
        : `${file}: cannot be made (${error instanceof Error ? error.message : String(error)}).`,
    ])
  }
}
