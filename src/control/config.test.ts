import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, configJsonSchema, parseConfig } from './config.ts'
import { vendors } from '../vendors/index.ts'

const names = vendors.map((vendor) => vendor.name)
const parse = (text: string): ReturnType<typeof parseConfig> => parseConfig(text, 'keyrung.yaml', names)

const mistakes: [sentence: string, text: string, message: RegExp][] = [
  ['a port that is text', 'server:\n  port: abc\n', /^keyrung\.yaml:2:3: server\.port: must be of type number\.$/],
  [
    'a port that is too large',
    'server:\n  host: x\n  port: 70000\n',
    /^keyrung\.yaml:3:3: server\.port: must be at most 65535\.$/,
  ],
  [
    'a setting that there is not',
    'server:\n  prot: 1\n',
    /^keyrung\.yaml:2:3: server\.prot: there is no such setting\. Known here: host, port, .*\.$/,
  ],
  [
    'a vendor that there is not',
    'vendors:\n  antropic: {}\n',
    /^keyrung\.yaml:2:3: vendors\.antropic: there is no such setting\. Known here: anthropic, openai, google, xai, deepseek\.$/,
  ],
  [
    'a literal secret',
    'vendors:\n  openai:\n    key: sk-proj-abc\n',
    /^keyrung\.yaml:3:5: vendors\.openai\.key: must refer to a secret as \$\{NAME\} or file:PATH, never hold one\.$/,
  ],
  [
    'an origin that is no URL',
    'vendors: { openai: { origin: "api.openai.com" } }',
    /^keyrung\.yaml:1:22: vendors\.openai\.origin: must be an http or https URL\.$/,
  ],
  ['text that is no YAML', 'server: {\n', /^keyrung\.yaml:\d+:\d+: .+/],
  ['an alias without its anchor', 'data: *nowhere\n', /^keyrung\.yaml: Unresolved alias.*nowhere/],
  [
    'a wait that does not fit into a timer',
    'deadlines: { idleMs: 100000000000 }\n',
    /^keyrung\.yaml:1:14: deadlines\.idleMs: must be at most 2147483647\.$/,
  ],
  ['a file that is a list', '- a\n', /^keyrung\.yaml:1:1: the file: must be of type object\.$/],
  [
    'a mount without a slash',
    'server:\n  mounts: [api]\n',
    /^keyrung\.yaml:2:12: server\.mounts\.0: must begin with \//,
  ],
]

for (const [sentence, text, message] of mistakes) {
  test(`config: ${sentence} is told with its place and what would be right`, () => {
    assert.throws(
      () => parse(text),
      (thrown) => {
        assert.ok(thrown instanceof ConfigError)
        assert.match(thrown.message, message)
        assert.ok(!thrown.message.includes('sk-proj-abc'), 'a secret is never shown')
        return true
      },
    )
  })
}

test('config: every mistake of a file is told at once', () => {
  assert.throws(
    () => parse('server: { port: -1, host: "" }\ntriesMax: 9\n'),
    (thrown) => {
      assert.equal((thrown as Error).message.split('\n').length, 3)
      return true
    },
  )
})

test('config: an empty file is the defaults', () => {
  const config = parse('')
  assert.equal(config.server.port, 8787)
  assert.equal(config.server.host, '127.0.0.1')
  assert.deepEqual(config.server.mounts, ['/', '/api/proxy'])
  assert.equal(config.server.bodyBytesMax, 32 * 1024 * 1024)
})

test('config: no text makes it throw anything but a ConfigError', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (text) => {
        try {
          parse(text)
        } catch (thrown) {
          assert.ok(thrown instanceof ConfigError, String(thrown))
        }
      },
    ),
  )
})

test('config: the published JSON Schema is the one of this program', () => {
  const published: unknown = JSON.parse(readFileSync(new URL('../../keyrung.schema.json', import.meta.url), 'utf8'))
  assert.deepEqual(published, JSON.parse(JSON.stringify(configJsonSchema(names))), 'run `npm run schema`')
})
