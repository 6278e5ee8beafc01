import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { Failure, failures, type FailureKind } from '../src/core/failure.ts'
import { dialects } from '../src/dialects/index.ts'
import { openaiNames } from '../src/dialects/openai-failure.ts'
import { fetchRaw } from './support/client.ts'
import { startTestGateway, type TestGateway } from './support/gateway.ts'
import { blocksIn, cheatSheet, read } from './support/pages.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = 'docs/errors'
const files = globSync(`${folder}/*.md`, { cwd: root }).map((path) => path.replaceAll('\\', '/'))
const pageOf = (status: number): string => read(`${folder}/${status}.md`)

const kinds = Object.entries(failures) as [FailureKind, (typeof failures)[FailureKind]][]
/** The one status that no caller ever sees. */
const unseen = 499
const statuses = [...new Set(kinds.map(([, row]) => row.status))].filter((status) => status !== unseen)
/** Statuses that only a vendor's own answer can have: their pages say what comes instead. */
const foreign = [402, 422, 503]

const sections = ['Cause', 'The usual reasons', 'Fix', 'Retry?', 'What your SDK raises', 'How to see the body']

function section(page: string, title: string): string {
  const found = `\n${page}\n## `.split(`\n## ${title}\n`)[1]
  assert.ok(found !== undefined, `a section "${title}"`)
  return found.slice(0, found.indexOf('\n## '))
}

suite('the pages on errors', () => {
  for (const status of [...statuses, ...foreign]) {
    test(`${status} has a page with its name, every section and what each SDK raises`, () => {
      const page = pageOf(status)
      const line = cheatSheet().find((one) => one.status === status)
      assert.ok(line, 'a line on the cheat sheet')
      const name = /^# \d{3} (.+)$/m.exec(page)?.[1] ?? ''
      assert.ok(page.startsWith(`# ${status} ${name}\n`))
      assert.ok(read(`${folder}/cheat-sheet.md`).includes(`| [${status}](${status}.md) | ${name} |`), name)
      for (const title of sections) assert.ok(section(page, title).trim() !== '', title)
      const raised = section(page, 'What your SDK raises')
      assert.ok(raised.includes(`| Anthropic, Python | \`${line.anthropicPython}\` |`))
      assert.ok(raised.includes(`| Anthropic, TypeScript | \`${line.anthropicTypescript}\` |`))
      assert.ok(raised.includes(`| OpenAI, Python | \`${line.openaiPython}\` |`))
      assert.ok(raised.includes(`| OpenAI, TypeScript | \`${line.openaiTypescript}\` |`))
    })
  }

  for (const [kind, row] of kinds.filter(([, { status }]) => status !== unseen)) {
    test(`${kind} is told on the page of ${row.status} with its names, cause, fix and retry`, () => {
      const page = pageOf(row.status)
      const body = dialects.anthropic.failure.write(new Failure(kind, 'x'), 'req_x')
      const { type } = body.error as { type: string }
      const names = openaiNames[kind]
      const code = names.code === null ? 'by field' : `\`${names.code}\``
      const line = `| \`${kind}\` | \`${type}\` | \`${names.type}\` / ${code} | ${row.blame} | ${row.cause} |`
      assert.ok(section(page, 'Cause').includes(line), line)
      assert.ok(section(page, 'Fix').includes(`- \`${kind}\`: ${row.fix}`), row.fix)
      const retry = section(page, 'Retry?')
      const own = retry.split('\n').find((text) => text.startsWith('- ') && text.includes(`\`${kind}\``))
      const said = /\*\*(yes|no)\b/i.exec(own ?? retry)?.[1]?.toLowerCase()
      assert.equal(said, row.retry ? 'yes' : 'no')
    })
  }

  test('499 is told where all are listed, and has no page, as nobody gets it', () => {
    for (const file of ['README', 'cheat-sheet', 'streams']) assert.match(read(`${folder}/${file}.md`), /499/)
    assert.ok(!files.includes(`${folder}/${unseen}.md`))
  })

  test('there is no page and no line for a status that no answer has', () => {
    const wanted = new Set([...statuses, ...foreign])
    assert.deepEqual(new Set(cheatSheet().map((line) => line.status)), wanted)
    assert.deepEqual(new Set(files.flatMap((file) => /\/(\d{3})\.md$/.exec(file)?.[1] ?? []).map(Number)), wanted)
  })

  test('the overview leads to every page', () => {
    const overview = read(`${folder}/README.md`)
    for (const file of files.filter((path) => !path.endsWith('README.md'))) {
      assert.ok(overview.includes(`](${file.slice(folder.length + 1)})`), file)
    }
  })

  test('links between the pages lead to headings that are there', () => {
    const places = (file: string): string[] =>
      [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
        title
          .toLowerCase()
          .replaceAll(/[^\w\s-]/g, '')
          .trim()
          .replaceAll(/\s/g, '-'),
      )
    for (const file of files) {
      for (const [, to = '', place = ''] of read(file).matchAll(/\]\(([\w-]*(?:\.md)?)#([\w-]+)\)/g)) {
        assert.ok(places(to === '' ? file : `${folder}/${to}`).includes(place), `${file}: ${to}#${place}`)
      }
    }
  })
})

suite('the cheat sheet names the classes of the TypeScript SDKs', () => {
  for (const { status, anthropicTypescript, openaiTypescript } of cheatSheet()) {
    test(`${status} is ${anthropicTypescript} and ${openaiTypescript}`, () => {
      const error = { message: 'x', type: 'x', param: null, code: null }
      const anthropic = Anthropic.APIError.generate(status, { type: 'error', error }, undefined, new Headers())
      const openai = OpenAI.APIError.generate(status, { error }, undefined, new Headers())
      assert.equal(anthropic.constructor.name, anthropicTypescript)
      assert.equal(openai.constructor.name, openaiTypescript)
      assert.equal(anthropic instanceof Anthropic.InternalServerError, status >= 500)
      assert.equal(openai instanceof OpenAI.InternalServerError, status >= 500)
    })
  }
})

suite('what stands on the pages works when pasted', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(async () => {
    await gateway.close()
    assert.deepEqual(gateway.faults, [])
  })

  const run = async (code: string): Promise<{ status: unknown; out: string }> => {
    const here = code.replaceAll('http://127.0.0.1:8787', gateway.url)
    const environment = { ...process.env, KEYRUNG_KEY: gateway.key }
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', here], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (out += text))
    const [status] = await once(child, 'close')
    return { status, out }
  }

  const blocks = files.flatMap((file) => blocksIn(file, 'ts'))
  for (const { name, code } of blocks) {
    test(`TypeScript: ${name}`, async () => {
      const { status, out } = await run(code)
      assert.equal(status, 0, out)
      assert.ok(!out.includes(gateway.key), 'the key is never shown')
      if (code.includes('no-such-model')) {
        assert.match(out, /^404 (not_found_error|invalid_request_error model_not_found model) req_\w+$/m)
        assert.match(out, /^x-keyrung-failure: model-unknown$/m)
        assert.match(out, /^x-should-retry: false$/m)
        assert.match(out, /"message":"model: no-such-model/)
      }
    })
  }

  test('JSON', () => {
    for (const { name, code } of files.flatMap((file) => blocksIn(file, 'json'))) {
      for (const line of code.trim().split('\n')) {
        const { error } = JSON.parse(line) as { error: { type: string; message: string } }
        assert.ok(typeof error.type === 'string' && typeof error.message === 'string', name)
      }
    }
  })
})

suite('the messages on the pages are those of the gateway', () => {
  let gateway: TestGateway
  before(async () => {
    gateway = await startTestGateway()
  })
  after(() => gateway.close())

  const call = { model: 'claude-sonnet-5', max_tokens: 9, messages: [{ role: 'user', content: 'hi' }] }
  const own = (): Record<string, string> => ({ authorization: `Bearer ${gateway.key}` })
  const withKey = (key: string) => (): Record<string, string> => ({ 'x-api-key': key })
  const typo = (): Record<string, string> => ({
    'x-api-key': `${gateway.key.slice(0, -1)}${gateway.key.endsWith('a') ? 'b' : 'a'}`,
  })

  const cases: [page: number, message: string, headers: () => Record<string, string>, path: string, body: unknown][] = [
    [400, 'The request body is not valid JSON: line 2, column 6.', own, '/v1/messages', '{"model":\n "x",,}'],
    [400, 'The request body is not valid JSON: it is empty.', own, '/v1/messages', ''],
    [400, "Missing required parameter: 'messages'.", own, '/v1/chat/completions', { model: 'claude-sonnet-5' }],
    [
      400,
      'seed: a seed is not supported by claude-sonnet-5.',
      own,
      '/v1/chat/completions',
      { ...call, max_tokens: undefined, seed: 5 },
    ],
    [
      400,
      'top_k: top-k sampling is not supported by gpt-5.6.',
      own,
      '/v1/messages',
      { ...call, model: 'gpt-5.6', top_k: 5 },
    ],
    [401, 'No key was sent.', () => ({}), '/v1/messages', call],
    [
      401,
      "The key is an Anthropic key (it begins with 'sk-ant-'); this gateway wants a key of its own.",
      withKey('sk-ant-api03-x'),
      '/v1/messages',
      call,
    ],
    [
      401,
      "The key 'sk-aic-…' (53 characters) is mistyped: its checksum does not fit.",
      typo,
      '/v1/chat/completions',
      call,
    ],
    [401, "The key '?KEYRUN…' (12 characters)", withKey('$KEYRUNG_KEY'), '/v1/messages', call],
    [
      401,
      'The header authorization is not of the form "Bearer KEY".',
      () => ({ authorization: gateway.key }),
      '/v1/messages',
      call,
    ],
    [
      401,
      'The headers authorization and x-api-key carry different keys.',
      () => ({ authorization: 'Bearer other', 'x-api-key': gateway.key }),
      '/v1/messages',
      call,
    ],
    [404, 'Invalid URL (POST /api/v1/messages).', own, '/api/v1/messages', call],
    [
      404,
      "model: cluade-sonnet-5 is not known here. Did you mean 'claude-sonnet-5'",
      own,
      '/v1/messages',
      { ...call, model: 'cluade-sonnet-5' },
    ],
    [
      415,
      "The content-encoding 'gzip' is not read here.",
      () => ({ ...own(), 'content-encoding': 'gzip' }),
      '/v1/messages',
      call,
    ],
  ]
  for (const [status, message, headers, path, body] of cases) {
    test(`${status}: ${message}`, async () => {
      assert.ok(pageOf(status).includes(message), 'stands on the page')
      const answer = await fetchRaw(`${gateway.url}${path}`, {
        body: typeof body === 'string' ? body : JSON.stringify(body),
        headers: { 'content-type': 'application/json', ...headers() },
      })
      assert.equal(answer.status, status)
      const told = answer.json<{ error: { message: string } }>().error.message
      assert.ok(told.startsWith(message), told)
    })
  }
})
