import type { StatusPage, StatusPageForm, VendorPage } from '../../core/status.ts'
import { deepseekPath, readDeepseek } from './deepseek.ts'
import { PageProblem, type PageAnswer } from './fetch-page.ts'
import { googlePath, readGoogle } from './google.ts'
import type { Reading } from './reading.ts'
import { readStatuspage, statuspagePath } from './statuspage.ts'
import { readXai, xaiPath } from './xai.ts'

export { fetchPage } from './fetch-page.ts'

/** A vendor's page on how it does. */
export interface PageSource extends StatusPage {
  readonly vendor: string
}

export interface StatusPagesOptions {
  readonly sources: readonly PageSource[]
  /** `fetchPage`, outside of tests. */
  readonly request: (url: string, signal: AbortSignal) => Promise<PageAnswer>
  /** How old a reading may grow. */
  readonly everyMs: number
  /** For a whole answer of one page. */
  readonly timeoutMs?: number
  readonly nowMs: () => number
}

const timeoutMsDefault = 5000
/** A page that could not be read is asked again after this share of the usual time. */
const retryShare = 1 / 5

/**
 * What the vendors' own status pages say. Nobody is asked until somebody looks; who looks gets at once what is known, and what
 * is older than `everyMs` is read again behind that, each page by one request at a time.
 */
export class StatusPages {
  readonly #options: StatusPagesOptions
  readonly #kept: readonly Kept[]

  constructor(options: StatusPagesOptions) {
    this.#options = options
    this.#kept = options.sources.map((source) => ({
      source,
      page: { vendor: source.vendor, url: source.url, state: 'unknown', summary: '', incidents: [] },
      askedMs: undefined,
      reading: undefined,
    }))
  }

  /** The pages as last read. */
  current(): VendorPage[] {
    for (const kept of this.#kept) if (this.#isDue(kept)) kept.reading = this.#refresh(kept)
    return this.#kept.map((kept) => kept.page)
  }

  /** When no page is being read. */
  async idle(): Promise<void> {
    await Promise.all(this.#kept.flatMap((kept) => kept.reading ?? []))
  }

  #isDue({ page, askedMs, reading }: Kept): boolean {
    if (reading !== undefined) return false
    if (askedMs === undefined) return true
    const agoMs = this.#options.nowMs() - askedMs
    const everyMs = page.problem === undefined ? this.#options.everyMs : this.#options.everyMs * retryShare
    // A clock that was set back would put the next reading off for as long.
    return agoMs >= everyMs || agoMs < 0
  }

  async #refresh(kept: Kept): Promise<void> {
    kept.askedMs = this.#options.nowMs()
    const { vendor, url } = kept.source
    try {
      const reading = await this.#read(kept.source)
      kept.page = { vendor, url, ...reading, readMs: this.#options.nowMs() }
    } catch (error) {
      kept.page = { ...kept.page, problem: problemOf(error) }
    } finally {
      kept.reading = undefined
    }
  }

  async #read({ form, url }: PageSource): Promise<Reading> {
    const { path, read } = forms[form]
    const { status, body } = await this.#ask(new URL(path, url).href)
    if (status >= 300 && status < 400)
      throw new PageProblem(`It answered ${status}, a redirect, which is not followed.`)
    if (status !== 200) throw new PageProblem(`It answered ${status}.`)
    const reading = read(body)
    if (reading === undefined) throw new PageProblem('What it sent is not in the form that was expected.')
    return reading
  }

  /** The answer, or an end to the waiting for it: also where the request takes no notice of its signal. */
  async #ask(url: string): Promise<PageAnswer> {
    const giveUp = new AbortController()
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => {
      late.reject(new PageProblem(`It did not send a whole answer within ${this.#timeoutMs / 1000} s.`))
      giveUp.abort()
    }, this.#timeoutMs)
    try {
      return await Promise.race([this.#options.request(url, giveUp.signal), late.promise])
    } finally {
      clearTimeout(timer)
    }
  }

  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? timeoutMsDefault
  }
}

interface Kept {
  readonly source: PageSource
  page: VendorPage
  askedMs: number | undefined
  /** While it is being read. */
  reading: Promise<void> | undefined
}

const forms: Readonly<Record<StatusPageForm, { path: string; read: (body: string) => Reading | undefined }>> = {
  statuspage: { path: statuspagePath, read: readStatuspage },
  google: { path: googlePath, read: readGoogle },
  xai: { path: xaiPath, read: readXai },
  deepseek: { path: deepseekPath, read: readDeepseek },
}

/** For people. Of what is not ours only the code is told: messages hold addresses. */
function problemOf(error: unknown): string {
  if (error instanceof PageProblem) return error.message
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code)
    ? `It could not be read (${code}).`
    : 'It could not be read.'
}
