import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'node:test'

/** A folder of its own for each test of a suite. */
export function freshFolder(): () => string {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyrung-store-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  return () => folder
}
