import { fork, type ChildProcess, type ForkOptions } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Question, Started, Usage } from './child.ts'

const startMsMax = 20_000
const stopMsMax = 3_000

/** A Node process of this folder that speaks the few words of child.ts. */
export class Child {
  readonly process: ChildProcess
  readonly started: Started
  #asked = 0

  private constructor(process: ChildProcess, started: Started) {
    this.process = process
    this.started = started
    process.setMaxListeners(0)
  }

  static async start(file: string, args: string[]): Promise<Child> {
    const options: ForkOptions = {
      execArgv: ['--expose-gc'],
      // Nothing of the operator's: keys in the environment must not change what is measured.
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }
    const child = owned(fork(fileURLToPath(new URL(file, import.meta.url)), args, options))
    const said = await heard<{ started: Started }>(child, file, (message) => 'started' in message)
    return new Child(child, said.started)
  }

  get origin(): string {
    return `http://127.0.0.1:${this.started.port}`
  }

  async ask(question: Omit<Question, 'id'>): Promise<Usage> {
    this.#asked += 1
    const id = this.#asked
    this.process.send({ id, ...question })
    const said = await heard<{ usage: Usage }>(this.process, 'a child', (message) => message['id'] === id)
    return said.usage
  }
}

/** The first message that fits, from a child that lives. */
function heard<T>(child: ChildProcess, name: string, fits: (message: Record<string, unknown>) => boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(() => reject(new Error(`${name} said nothing`))), startMsMax)
    const settle = (then: () => void): void => {
      clearTimeout(timer)
      child.off('message', listen)
      child.off('exit', gone)
      then()
    }
    const listen = (message: object): void => {
      if (fits(message as Record<string, unknown>)) settle(() => resolve(message as T))
    }
    const gone = (code: number | null): void => settle(() => reject(new Error(`${name} ended with code ${code}`)))
    child.on('message', listen)
    child.once('exit', gone)
  })
}

/** Every child that lives, so that none is left behind however this ends. */
const alive = new Set<ChildProcess>()

/** Takes charge of a child: `endAll` will end it if nobody else does. */
export function owned(child: ChildProcess): ChildProcess {
  alive.add(child)
  child.once('exit', () => alive.delete(child))
  child.once('error', () => alive.delete(child))
  return child
}

/** Ends every child and waits until they have gone. */
export async function endAll(): Promise<void> {
  await Promise.all([...alive].map(endOf))
}

/** Ends a child by its handle and waits until it has gone. */
export function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve()
      return
    }
    const timer = setTimeout(() => child.kill('SIGKILL'), stopMsMax)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}
