import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.ts'
import type { Answer } from './route.ts'

/** How long an answer is remembered, and how much is kept of all of them: the oldest make room. */
const keptMs = 24 * 3_600_000
const answersMax = 10_000
const charactersMax = 8 * 1024 * 1024

/** Stands in the place of the secret that is not shown again. */
const note =
  'This was made by an earlier request with the same Idempotency-Key. Its secret was shown then and is kept nowhere; rotate the key or make another token where it was lost.'

interface Kept {
  digest: string
  answer: Answer
  /** What the answer takes up, about. */
  characters: number
  atMs: number
}

/**
 * What was made for which Idempotency-Key, so that a request whose answer was lost can be sent again. In memory and
 * without secrets: a restart forgets it.
 */
export class Replays {
  readonly #kept = new Map<string, Kept>()
  #characters = 0

  /** The answer that was given; undefined for a new key. Throws Refusal 409 where another request had the key. */
  find(key: string, digest: string, nowMs: number): Answer | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (nowMs - kept.atMs >= keptMs) {
      this.#drop(key)
      return undefined
    }
    if (kept.digest !== digest) {
      throw new Refusal(409, 'idempotency-conflict', 'Another request had this Idempotency-Key.', {
        fix: 'Send the very same request again, or this one with a key of its own.',
      })
    }
    return kept.answer
  }

  keep(key: string, digest: string, { secret, ...answer }: Answer, nowMs: number): void {
    const json = secret === undefined ? answer.json : { ...(answer.json as object), secret: null, note }
    const characters = JSON.stringify(json).length + key.length
    this.#drop(key)
    this.#kept.set(key, { digest, answer: { ...answer, json, replayed: true }, characters, atMs: nowMs })
    this.#characters += characters
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= answersMax && this.#characters <= charactersMax) break
      this.#drop(oldest)
    }
  }

  #drop(key: string): void {
    this.#characters -= this.#kept.get(key)?.characters ?? 0
    this.#kept.delete(key)
  }
}

/** What an answer is remembered by: each token has keys of its own. Undefined where none was sent. Throws Refusal 400. */
export function replayKey(request: IncomingMessage, tokenId: string): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return `${tokenId} ${key}`
  throw new Refusal(400, 'header-invalid', 'Idempotency-Key: must be 1 to 200 visible characters without spaces.')
}
