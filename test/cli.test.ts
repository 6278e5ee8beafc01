import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readSettings } from '../src/cli/settings.ts'
import { vendors } from '../src/vendors/index.ts'

const main = fileURLToPath(new URL('../src/cli/main.ts', import.meta.url))

interface Run {
  child: ChildProcess
  /** Standard output so far. */
  out: () => string
  err: () => string
  /** Resolves once standard output holds the text. */
  until: (text: string) => Promise<void>
  ended: Promise<number | null>
}

/** The command in an environment without anything of the machine's that would make a vendor live. */
function run(folder: string, args: string[], environment: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...environment },
  })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    child.emit('out')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const until = async (text: string): Promise<void> => {
    while (!out.includes(text)) {
      // eslint-disable-next-line no-await-in-loop -- each piece of output is awaited in turn
      const more = await Promise.race([once(child, 'out'), ended.then(() => 'ended')])
      if (more === 'ended' && !out.includes(text)) throw new Error(`ended without "${text}":\n${out}\n${err}`)
    }
  }
  return { child, out: () => out, err: () => err, until, ended }
}

async function stop(one: Run): Promise<number | null> {
  one.child.kill('SIGTERM')
  return one.ended
}

suite('keyrung serve', () => {
  let folder: string
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  test('the first start prints a key, who is simulated and calls that work; the second prints no secret and keeps the key', async () => {
    const first = run(folder, ['serve', '--port', '0'])
    await first.until('console.log(message.content)')
    const out = first.out()
    const key = /sk-aic-[0-9A-Za-z]{46}/.exec(out)?.[0] ?? ''
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0] ?? ''
    assert.notEqual(key, '')
    for (const title of ['Anthropic', 'OpenAI', 'Google', 'xAI', 'DeepSeek'])
      assert.match(out, new RegExp(`${title} +simulated by the sandbox`))

    const curl = /curl [\s\S]*?'\{.*\}'/.exec(out)?.[0] ?? ''
    const shell = spawn('sh', ['-c', curl.replace('curl ', 'curl -sS ')])
    let answered = ''
    shell.stdout.on('data', (chunk) => {
      answered += String(chunk)
    })
    await once(shell, 'close')
    assert.match(answered, /"type":"message"/)

    const stored = ['keyrung.db', 'keyrung.db-wal']
      .map((name) => readFileSync(join(folder, 'data', name)).toString('latin1'))
      .join('')
    assert.ok(!stored.includes(key.slice(15)), 'the key is kept as a digest only')
    assert.equal(await stop(first), 0)

    const second = run(folder, ['--port', '0'])
    await second.until('kept as digests')
    assert.ok(!/sk-aic-[0-9A-Za-z]/.test(second.out()))
    const again = /http:\/\/127\.0\.0\.1:\d+/.exec(second.out())?.[0] ?? ''
    assert.notEqual(again, '')
    assert.notEqual(url, '')
    const answer = await fetch(`${again}/v1/models`, { headers: { 'x-api-key': key } })
    assert.equal(answer.status, 200)
    assert.equal(await stop(second), 0)
  })

  test('vendors with a key in the environment are live, and no secret is printed', async () => {
    const started = run(folder, ['--port', '0'], {
      OPENAI_API_KEY: 'sk-proj-very-secret',
      GEMINI_API_KEY: 'AIza-very-secret',
    })
    await started.until('kept as digests')
    assert.match(started.out(), /OpenAI +live, key from OPENAI_API_KEY/)
    assert.match(started.out(), /Google +live, key from GEMINI_API_KEY/)
    assert.match(started.out(), /Anthropic +simulated/)
    assert.ok(!started.out().includes('very-secret'))
    assert.equal(await stop(started), 0)
  })

  test('a flag wins over the environment, and that over the file', async () => {
    const file = join(folder, 'own.yaml')
    writeFileSync(file, 'server: { port: 1 }\nsandbox: { enabled: true }\n')
    const started = run(folder, ['--config', file, '--port', '0'], { KEYRUNG_PORT: '2', KEYRUNG_SANDBOX: 'off' })
    await started.until('kept as digests')
    assert.match(started.out(), /Anthropic +off: no key/)
    assert.equal(await stop(started), 0)
  })

  test('a declared key is the caller’s key, and none is made', async () => {
    const own = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
    writeFileSync(join(own, 'keyrung.yaml'), 'keys: [{ name: ci, key: "${CI_KEY}" }]\n')
    const key = 'a-key-that-was-made-elsewhere'
    const started = run(own, ['--port', '0'], { CI_KEY: key })
    await started.until('DeepSeek')
    await started.until('\n\n')
    assert.ok(!/sk-aic-[0-9A-Za-z]/.test(started.out()))
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(started.out())?.[0] ?? ''
    assert.equal((await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status, 200)
    assert.equal((await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}x` } })).status, 401)
    assert.equal(await stop(started), 0)
    rmSync(own, { recursive: true, force: true })
  })

  const mistakes: [
    sentence: string,
    args: string[],
    environment: Record<string, string>,
    code: number,
    message: RegExp,
  ][] = [
    ['a port that is none', ['--port', 'abc'], {}, 78, /--port: must be a whole number from 0 to 65535, not 'abc'/],
    ['a configuration that is not there', ['--config', 'nowhere.yaml'], {}, 78, /nowhere\.yaml: there is no such file/],
    ['an unknown flag', ['--prot', '1'], {}, 64, /unknown option '--prot'[\s\S]*--port/],
    ['an unknown command', ['srve'], {}, 64, /srve/],
    [
      'an origin that is no URL',
      ['--port', '0'],
      { KEYRUNG_XAI_ORIGIN: 'nonsense' },
      78,
      /KEYRUNG_XAI_ORIGIN: must be an http or https URL/,
    ],
    [
      'a key with a newline in it',
      ['--port', '0'],
      { XAI_API_KEY: 'xai-a\nb' },
      78,
      /XAI_API_KEY: the key has quotes, spaces, a newline/,
    ],
    [
      'an address that is not of this machine',
      ['--port', '0', '--host', '192.0.2.1'],
      {},
      78,
      /192\.0\.2\.1 is no address of this machine/,
    ],
  ]
  for (const [sentence, args, environment, code, message] of mistakes) {
    test(`${sentence} stops the start with what is wrong`, async () => {
      const failed = run(folder, args, environment)
      assert.equal(await failed.ended, code)
      assert.match(failed.err(), message)
      assert.ok(!failed.err().includes('    at '), 'no stack trace')
    })
  }

  test('a taken port is told with one to try', async () => {
    const taken = createServer()
    taken.listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const failed = run(folder, ['--port', String(port)])
    assert.equal(await failed.ended, 78)
    assert.match(failed.err(), new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is taken`))
    taken.close()
  })

  const wrongFiles: [sentence: string, text: string, message: RegExp][] = [
    [
      'a secret that the file refers to and the environment lacks',
      'vendors:\n  xai: { key: "${NOT_SET}" }\n',
      /^keyrung\.yaml:2:15: vendors\.xai\.key: the environment has no NOT_SET\. Set it, or remove the setting\.$/,
    ],
    [
      'the same for the second of several keys',
      'vendors:\n  xai:\n    keys:\n      - { name: a, key: "${KEY_A}" }\n      - { name: b, key: "${NOT_SET}" }\n',
      /^keyrung\.yaml:5:25: vendors\.xai\.keys\.1\.key: the environment has no NOT_SET/,
    ],
    [
      'the same for a caller’s key',
      'keys:\n  - { name: ci, key: "${NOT_SET}" }\n',
      /^keyrung\.yaml:2:22: keys\.0\.key: the environment has no NOT_SET/,
    ],
    [
      'a caller’s key that is short',
      'keys:\n  - { name: ci, key: "${KEY_A}" }\n',
      /^keyrung\.yaml:2:22: keys\.0\.key: the key must have at least 24 characters; this one has 8\.$/,
    ],
    [
      'a vendor’s key with a space in it',
      'vendors:\n  xai: { key: "${SPACED}" }\n',
      /^keyrung\.yaml:2:15: vendors\.xai\.key: \$\{SPACED\}: the key has quotes, spaces, a newline/,
    ],
    [
      'two keys of one name',
      'vendors:\n  xai:\n    keys:\n      - { name: a, key: "${KEY_A}" }\n      - { name: a, key: "${KEY_B}" }\n',
      /^keyrung\.yaml:5:17: vendors\.xai\.keys\.1\.name: there are two keys of the name 'a'\.$/,
    ],
    [
      'one secret of two keys',
      'vendors:\n  xai:\n    keys:\n      - { name: a, key: "${KEY_A}" }\n      - { name: b, key: "${SAME}" }\n',
      /^keyrung\.yaml:5:25: vendors\.xai\.keys\.1\.key: is the same secret as that of 'a'\. Remove one of them\.$/,
    ],
    [
      'an alias that stands for nothing',
      'aliases: { fast: nonsense }\n',
      /^keyrung\.yaml:1:18: aliases\.fast: no vendor has a model 'nonsense'; name one, or say anthropic\/…/,
    ],
  ]
  for (const [sentence, text, message] of wrongFiles) {
    test(`${sentence} is told by name and place`, () => {
      const file = join(folder, 'wrong.yaml')
      writeFileSync(file, text)
      const secrets = { KEY_A: 'secret-a', KEY_B: 'secret-b', SPACED: 'secret c', SAME: 'secret-a' }
      assert.throws(
        () => readSettings({ config: file }, secrets, vendors),
        ({ message: told }: Error) => {
          assert.match(told.replaceAll(file, 'keyrung.yaml'), message)
          for (const secret of Object.values(secrets)) assert.ok(!told.includes(secret), 'no secret is told')
          return true
        },
      )
    })
  }

  test('one secret at two addresses is two places', () => {
    const file = join(folder, 'two-places.yaml')
    const keys =
      '{ name: a, key: "${KEY}", origin: "https://eu.test" }, { name: b, key: "${KEY}", origin: "https://us.test" }'
    writeFileSync(file, `vendors: { xai: { keys: [${keys}] } }\n`)
    const { credentials } = readSettings({ config: file }, { KEY: 'some-key' }, vendors)
    assert.deepEqual(
      credentials.get('xai')?.map((one) => one.name),
      ['a', 'b'],
    )
  })

  test('a vendor that is switched off is not simulated on demand either, and that is what is told', async () => {
    const own = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
    writeFileSync(join(own, 'keyrung.yaml'), 'vendors: { anthropic: { enabled: false } }\n')
    const started = run(own, ['--port', '0'])
    await started.until('console.log(message.content)')
    const answer = await fetch(`${/http:\/\/127\.0\.0\.1:\d+/.exec(started.out())?.[0] ?? ''}/v1/messages`, {
      method: 'POST',
      headers: {
        'x-api-key': /sk-aic-[0-9A-Za-z]{46}/.exec(started.out())?.[0] ?? '',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ model: 'sandbox/529', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    assert.equal(answer.status, 403)
    assert.match(await answer.text(), /Anthropic is switched off here, and so is not simulated/)
    assert.equal(await stop(started), 0)
    rmSync(own, { recursive: true, force: true })
  })

  test('a ladder with a rung that no vendor has stops the start with its place', async () => {
    const own = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
    writeFileSync(join(own, 'keyrung.yaml'), 'ladders:\n  mine:\n    rungs: [gpt-6-luna, nonsense]\n')
    const failed = run(own, ['--port', '0'])
    assert.equal(await failed.ended, 78)
    assert.equal(failed.err().trim(), "keyrung.yaml:3:25: ladders.mine.rungs.1: no vendor has a model 'nonsense'.")
    rmSync(own, { recursive: true, force: true })
  })

  /** What a start with this file prints before it can be called. */
  const printed = async (text: string, environment: Record<string, string>): Promise<string> => {
    const own = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
    writeFileSync(join(own, 'keyrung.yaml'), text)
    const started = run(own, ['--port', '0'], environment)
    await started.until('Your key')
    assert.equal(await stop(started), 0)
    rmSync(own, { recursive: true, force: true })
    return started.out()
  }

  test('the start says which ladders are not offered, and which rungs are left out of others', async () => {
    const file = `
vendors: { deepseek: { enabled: false } }
ladders:
  whole: { rungs: [gpt-6-luna] }
  none: { rungs: [deepseek-flash] }
  part: { rungs: [claude-haiku-5-5, gpt-6-luna, { model: grok-4.7, credentials: [eu] }] }
`
    const simulated = await printed(file, { OPENAI_API_KEY: 'some-key' })
    assert.match(simulated, /^ {2}DeepSeek +off: vendors\.deepseek\.enabled is false$/m)
    assert.match(simulated, /^ {2}Ladder none is not offered: it has no usable rung \(DeepSeek is switched off\)\.$/m)
    assert.match(
      simulated,
      /^ {2}Rungs left out: claude-haiku-5-5 of part, grok-4\.7 of part \(Anthropic is simulated, and others are live; xAI is simulated, and others are live\)\.$/m,
    )
    assert.match(simulated, /^ {2}Keys that rungs name and that are not here: eu of xAI\.$/m)
    assert.ok(!simulated.includes('whole'), 'a ladder in good order is not spoken of')

    const keyless = await printed(`sandbox: { enabled: false }\n${file}`, { OPENAI_API_KEY: 'some-key' })
    assert.match(
      keyless,
      /^ {2}Rungs left out: claude-haiku-5-5 of part, grok-4\.7 of part \(Anthropic has no key; xAI has no key\)\.$/m,
    )
    const off = await printed(`sandbox: { enabled: false }\n${file}`, {})
    assert.match(
      off,
      /^ {2}Ladder part is not offered: .*\(Anthropic has no key; OpenAI has no key; xAI has no key\)\.$/m,
    )
  })

  test('the start says nothing of ladders where all are in good order', async () => {
    const out = await printed('ladders: { mine: { rungs: [gpt-6-luna, grok-4.7] } }\n', {})
    assert.ok(!/ladder|rung/i.test(out.replaceAll('Keyrung', '')), out)
  })

  test('places in the EU only: a key in the environment makes no other vendor live, and nobody is simulated', async () => {
    const file = fileURLToPath(new URL('../docs/examples/eu-only.yaml', import.meta.url))
    const environment = Object.fromEntries(
      vendors.flatMap((vendor) => vendor.keyNames).map((name) => [name, `${name}-elsewhere`]),
    )
    const own = mkdtempSync(join(tmpdir(), 'keyrung-cli-'))
    const started = run(own, ['--config', file, '--port', '0'], {
      ...environment,
      OPENAI_KEY_EU: 'key-of-openai-in-the-eu',
      XAI_KEY_EU: 'key-of-xai-in-the-eu',
    })
    await started.until('console.log(message.content)')
    const out = started.out()
    for (const { title, name } of vendors) {
      const live = name === 'openai' || name === 'xai'
      const key = `\\$\\{${name.toUpperCase()}_KEY_EU\\}`
      assert.match(
        out,
        new RegExp(
          `^  ${title} +${live ? `live, key from ${key}` : `off: vendors\\.${name}\\.enabled is false`}$`,
          'm',
        ),
      )
    }
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0] ?? ''
    const answer = await fetch(`${url}/v1/messages`, {
      method: 'POST',
      headers: {
        'x-api-key': /sk-aic-[0-9A-Za-z]{46}/.exec(out)?.[0] ?? '',
        'content-type': 'application/json',
        'x-keyrung-ladder': 'off',
      },
      body: JSON.stringify({ model: 'claude-haiku-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] }),
    })
    assert.equal(answer.status, 502)
    const told = await answer.text()
    assert.match(told, /Anthropic, who makes claude-haiku-5-5, is switched off here.*vendors\.anthropic\.enabled: true/)
    assert.ok(!told.includes('sandbox'), 'what would not mend it is not told')
    assert.equal(await stop(started), 0)
    rmSync(own, { recursive: true, force: true })
  })

  test('an empty variable is one that is not set: it opens the gateway to no network', async () => {
    const started = run(folder, ['--port', '0'], {
      KEYRUNG_HOST: '',
      KEYRUNG_PORT: '',
      KEYRUNG_DATA: '',
      KEYRUNG_SANDBOX: '',
      KEYRUNG_CONFIG: '',
    })
    await started.until('kept as digests')
    assert.match(started.out(), /listens on http:\/\/127\.0\.0\.1:\d+/)
    assert.equal(await stop(started), 0)
  })

  test('--help tells the commands, the flags and the environment', async () => {
    const help = run(folder, ['serve', '--help'])
    assert.equal(await help.ended, 0)
    for (const word of ['--port', '--no-sandbox', 'KEYRUNG_CONFIG', 'GEMINI_API_KEY'])
      assert.ok(help.out().includes(word), word)
  })

  test('started by npm, it stops when npm is told to, whatever the shell in between does', async () => {
    const started = spawn('npm', ['start', '--silent', '--', '--port', '0', '--data', join(folder, 'by-npm')], {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { PATH: process.env.PATH ?? '', HOME: folder },
    })
    let out = ''
    started.stdout.on('data', (chunk) => {
      out += String(chunk)
      started.emit('out')
    })
    while (!out.includes('console.log(message.content)')) {
      // eslint-disable-next-line no-await-in-loop -- each piece of output is awaited in turn
      await once(started, 'out')
    }
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(out)?.[0] ?? ''
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    started.kill('SIGTERM')
    await once(started, 'close')
    // The streams are closed by the last process that holds them: npm, the shell and the gateway are all gone.
    await assert.rejects(fetch(`${url}/healthz`))
  })
})
