import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const requirements = join(here, 'requirements.txt')
/** In a folder that git ignores, and beside the checkout's other caches. */
const folder = join(here, '../../.cache/python')
const program = process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python'
const python = join(folder, program)
/** Holds a digest of what the folder was made from. */
const stampName = 'stamp'
const installMs = 180_000
/** Holds the number of the process that is making the folder: test files run at the same time and want it together. */
const lock = `${folder}.lock`
const lockLookMs = 200

/** A Python with the SDKs of requirements.txt, or why there is none. */
export type PythonSetup = { type: 'ready'; python: string } | { type: 'missing'; reason: string }

/**
 * The Python that has the SDKs: a virtual environment of the checkout's own, made when it is first asked for and again
 * when the requirements change.
 */
export async function setUpPython(): Promise<PythonSetup> {
  const version = await run('python3', ['--version'])
  if (version.status !== 0) return { type: 'missing', reason: 'there is no python3 on this machine' }
  const wanted = createHash('sha256').update(readFileSync(requirements)).update(version.output).digest('hex')
  if (isMade(wanted)) return { type: 'ready', python }
  mkdirSync(dirname(folder), { recursive: true })
  if (await isFree()) return makeLocked(wanted)
  return isMade(wanted) ? { type: 'ready', python } : { type: 'missing', reason: 'another test could not make it' }
}

function isMade(wanted: string): boolean {
  const stamp = join(folder, stampName)
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
}

/** Takes the lock where nobody has it: true. Else waits until its holder is done: false. */
async function isFree(): Promise<boolean> {
  while (!take()) {
    if (!isHeld()) continue
    // eslint-disable-next-line no-await-in-loop -- waits for another process
    while (isHeld()) await sleep(lockLookMs)
    return false
  }
  return true
}

function take(): boolean {
  try {
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

/** A run that was broken off may have left the lock: it counts while its process lives. */
function isHeld(): boolean {
  try {
    const holder = Number(readFileSync(lock, 'utf8'))
    // 0: just taken, and not yet written.
    return holder === 0 || process.kill(holder, 0)
  } catch {
    rmSync(lock, { force: true })
    return false
  }
}

async function makeLocked(wanted: string): Promise<PythonSetup> {
  // Made beside its place and moved there whole: a run that was broken off leaves nothing half-made.
  const making = `${folder}-${process.pid}`
  try {
    return isMade(wanted) ? { type: 'ready', python } : await make(making, wanted)
  } finally {
    rmSync(making, { recursive: true, force: true })
    rmSync(lock, { force: true })
  }
}

async function make(making: string, wanted: string): Promise<PythonSetup> {
  const made = await run('python3', ['-m', 'venv', making])
  if (made.status !== 0) return { type: 'missing', reason: `python3 -m venv failed: ${lastLine(made.output)}` }
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1', '--timeout', '30']
  const installed = await run(join(making, program), [...pip, '--requirement', requirements])
  if (installed.status !== 0) return { type: 'missing', reason: `pip install failed: ${lastLine(installed.output)}` }
  writeFileSync(join(making, stampName), wanted)
  rmSync(folder, { recursive: true, force: true })
  renameSync(making, folder)
  return { type: 'ready', python }
}

/** Runs one of the scripts of this folder and gives its lines, each one JSON. Throws where it ends with an error. */
export async function runPython(
  python: string,
  script: string,
  input: Record<string, string>,
  words: readonly string[] = [],
): Promise<unknown[]> {
  const environment = { ...ownEnvironment(), ...input }
  const { status, output, errors } = await run(python, [join(here, script), ...words], environment)
  if (status !== 0) throw new Error(`${script} ended with status ${status}:\n${errors.slice(-4000)}`)
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line))
}

/** The environment without what would change what the SDKs send, or where, and with no traces left in the checkout. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(ANTHROPIC|OPENAI)_/.test(name))
  return { ...Object.fromEntries(kept), NO_PROXY: '127.0.0.1', PYTHONDONTWRITEBYTECODE: '1' }
}

interface Ran {
  status: number
  output: string
  errors: string
}

function run(command: string, args: string[], environment: NodeJS.ProcessEnv = process.env): Promise<Ran> {
  return new Promise((resolve) => {
    let output = ''
    let errors = ''
    const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'], timeout: installMs })
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    child.on('error', (error) => resolve({ status: -1, output, errors: `${errors}${error.message}` }))
    child.on('close', (code) => resolve({ status: code ?? -1, output: output === '' ? errors : output, errors }))
  })
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
