import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { configJsonSchema } from '../src/control/config.ts'
import { Failure, failures, type FailureKind } from '../src/core/failure.ts'
import { dropped as anthropicDropped } from '../src/dialects/anthropic/request.ts'
import { dialects } from '../src/dialects/index.ts'
import { dropped as chatDropped } from '../src/dialects/openai-chat/request-read.ts'
import { dropped as responsesDropped } from '../src/dialects/openai-responses/index.ts'
import { dropped as geminiDropped } from '../src/dialects/gemini/request-read.ts'
import { openaiNames } from '../src/dialects/openai-failure.ts'
import { faultList } from '../src/sandbox/index.ts'
import { models, vendors } from '../src/vendors/index.ts'
import { readSettings } from '../src/cli/settings.ts'
import { startTestGateway } from './support/gateway.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

suite('docs', () => {
  test('every link inside the repository leads somewhere', () => {
    const files = [...globSync('*.md', { cwd: root }), ...globSync('docs/**/*.md', { cwd: root })]
    for (const file of files) {
      for (const [, target = ''] of read(file).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:|^#/.test(target)) continue
        assert.ok(existsSync(join(root, dirname(file), target.replace(/#.*/, ''))), `${file}: ${target}`)
      }
    }
  })

  test('the page of errors is the table of failures', () => {
    const page = read('docs/errors/README.md')
    for (const [kind, row] of Object.entries(failures)) {
      const body = dialects.anthropic.failure.write(new Failure(kind as FailureKind, 'x'), 'req_x')
      const { type } = body.error as { type: string }
      const names = openaiNames[kind as FailureKind]
      const code = names.code === null ? 'by field' : `\`${names.code}\``
      const line = `| \`${kind}\` | ${row.status} | \`${type}\` | \`${names.type}\` / ${code} | ${row.blame} | ${row.retry ? 'yes' : 'no'} | ${row.cause} | ${row.fix} |`
      assert.ok(page.includes(line), line)
    }
  })

  test('the page of faults lists every fault of the sandbox', () => {
    const page = read('docs/faults.md')
    for (const { name, example, moment, about } of faultList()) {
      const line = `| \`sandbox/${example}\` | \`${name}\` | ${moment} | ${about} |`
      assert.ok(page.includes(line), line)
    }
  })

  test('the page of settings names every setting', () => {
    const page = read('docs/configuration.md')
    const schema = configJsonSchema(vendors.map((vendor) => vendor.name)) as {
      properties: Record<string, { properties?: object }>
    }
    for (const [name, value] of Object.entries(schema.properties)) {
      const inner =
        name === 'vendors' || value.properties === undefined
          ? ['']
          : Object.keys(value.properties).map((key) => `.${key}`)
      for (const key of inner) assert.ok(page.includes(`\`${name}${key}`), `${name}${key}`)
    }
  })

  test('the page of the ladder tells of each kind of failure what the policy does', () => {
    const page = read('docs/ladder.md')
    const words = { credential: 'next credential', rung: 'next rung', again: 'again here' }
    for (const [kind, row] of Object.entries(failures)) {
      const moves = row.moves.length === 0 ? 'stop' : row.moves.map((move) => words[move]).join(', then ')
      const sign = row.sign === 'nothing' ? '' : row.sign
      const line = `| \`${kind}\` | ${row.status} | ${moves} | ${sign} |`
      assert.ok(page.includes(line), line)
    }
  })

  test('every example of a configuration can be started', async () => {
    const files = globSync('docs/examples/*.yaml', { cwd: root })
    assert.ok(files.length >= 4)
    for (const file of files) {
      const text = read(file)
      const variables = [...text.matchAll(/\$\{(\w+)\}/g)]
      const environment = Object.fromEntries(variables.map(([, name]) => [name, `secret-of-${name}`]))
      const settings = readSettings({ config: join(root, file) }, environment, vendors)
      const gateway = await startTestGateway({ settings })
      for (const name of Object.keys(settings.config.ladders)) assert.ok(gateway.snapshot.ladders.has(name), name)
      await gateway.close()
    }
  })

  test('the page of models explains every word of the catalogue', () => {
    const page = read('docs/models.md')
    for (const model of models) {
      const words = [
        ...Object.keys(model),
        ...(model.takes ?? []),
        ...(model.refuses ?? []),
        ...(model.thinking === undefined ? [] : [model.thinking]),
      ]
      for (const word of words) assert.ok(page.includes(`\`${word}\``), `${model.id}: ${word}`)
    }
  })

  test('the page of translation names every field that is left out', () => {
    const page = read('docs/translation.md')
    for (const dropped of [anthropicDropped, chatDropped, responsesDropped, geminiDropped]) {
      for (const field of Object.keys(dropped)) assert.ok(page.includes(`\`${field}\``), field)
    }
  })
})

suite('the README’s first calls work when pasted', () => {
  const blocks = [...read('README.md').matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, language, code]) => ({
    language,
    code: code ?? '',
  }))
  const block = (language: string, word: string): string => {
    const found = blocks.find((one) => one.language === language && one.code.includes(word))
    assert.ok(found, `a ${language} block with ${word}`)
    return found.code
  }

  const pasted = async (command: string, args: string[], code: string): Promise<string> => {
    const gateway = await startTestGateway()
    const here = code.replaceAll('http://127.0.0.1:8787', gateway.url)
    const child = spawn(command, [...args, here], { cwd: root, env: { ...process.env, KEYRUNG_KEY: gateway.key } })
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += String(chunk)
    })
    child.stderr.on('data', (chunk) => {
      out += String(chunk)
    })
    await once(child, 'close')
    await gateway.close()
    return out
  }

  test('curl', async () => {
    assert.match(await pasted('sh', ['-c'], block('sh', 'curl')), /"text":"You said: /)
  })

  test('TypeScript', async () => {
    const out = await pasted(process.execPath, ['--input-type=module-typescript', '-e'], block('ts', 'Anthropic'))
    assert.match(out, /type: 'text',\s+text: ['`]You said: /)
  })
})
