import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url))

/** `keyrung serve` as a process of its own. */
export interface Program {
  child: ChildProcess
  /** Where it listens. */
  url: string
  /** The first key, where this start made one. */
  key: string | undefined
  err: () => string
  /** The status of its end; null for one by a signal. */
  ended: Promise<number | null>
}

/** What a start printed, or how it failed. */
export class NotStarted extends Error {
  readonly code: number | null

  constructor(code: number | null, err: string) {
    super(err)
    this.code = code
  }
}

/** Starts it and resolves once it listens. Throws NotStarted. */
export async function startProgram(folder: string, args: readonly string[] = []): Promise<Program> {
  const child = spawn(process.execPath, [main, 'serve', '--data', folder, '--port', '0', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', NODE_COMPILE_CACHE: join(folder, 'compiled') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const lastLine = /Your keys are as before|console\.log\(message\.content\)/
  const listening = new Promise<void>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (lastLine.test(out)) resolve()
    })
  })
  const failed = ended.then((code) => Promise.reject(new NotStarted(code, err)))
  await Promise.race([listening, failed])
  failed.catch(() => {})
  const url = /listens on (http:\S+)/.exec(out)?.[1] ?? ''
  return { child, url, key: /sk-aic-[0-9A-Za-z]{46}/.exec(out)?.[0], err: () => err, ended }
}
