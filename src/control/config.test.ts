import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { ConfigError, configJsonSchema, configSchema, parseConfig, settingAt } from './config.ts'
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
  [
    'a rung with a setting that there is not',
    'ladders:\n  mine:\n    rungs:\n      - { model: gpt-6-luna, credential: [eu] }\n',
    /^keyrung\.yaml:4:30: ladders\.mine\.rungs\.0\.credential: there is no such setting\. Known here: model, credentials, .*\.$/,
  ],
  [
    'a rung without a model',
    'ladders:\n  mine:\n    rungs:\n      - { credentials: [eu] }\n',
    /^keyrung\.yaml:4:9: ladders\.mine\.rungs\.0\.model: is missing; it must be of type string\.$/,
  ],
  [
    'a rung that is a number',
    'ladders:\n  mine:\n    rungs: [gpt-6-luna, 5]\n',
    /^keyrung\.yaml:3:25: ladders\.mine\.rungs\.1: must be of type string or of type object\.$/,
  ],
  [
    'a rung with credentials that are no list',
    'ladders:\n  mine:\n    rungs:\n      - { model: gpt-6-luna, credentials: eu }\n',
    /^keyrung\.yaml:4:30: ladders\.mine\.rungs\.0\.credentials: must be a list\.$/,
  ],
  [
    'a setting deep in a rung that there is not',
    'ladders:\n  mine:\n    rungs: [{ model: gpt-6-luna, budget: { flor: 1 } }]\n',
    /^keyrung\.yaml:3:44: ladders\.mine\.rungs\.0\.budget\.flor: there is no such setting\. Known here: enabled, share, windowMs, floor\.$/,
  ],
  [
    'a ladder with a setting that there is not',
    'ladders:\n  mine:\n    rungs: [gpt-6-luna]\n    retires: {}\n',
    /^keyrung\.yaml:4:5: ladders\.mine\.retires: there is no such setting\. Known here: rungs, hedgeAfterMs, retries, .*\.$/,
  ],
  [
    'a ladder without rungs',
    'ladders:\n  mine: { rungs: [] }\n',
    /^keyrung\.yaml:2:11: ladders\.mine\.rungs: must have at least 1 entry\.$/,
  ],
  [
    'a ladder with too many rungs',
    `ladders:\n  mine: { rungs: [${'a, '.repeat(11)}] }\n`,
    /^keyrung\.yaml:2:11: ladders\.mine\.rungs: must have at most 10 entries\.$/,
  ],
  [
    'a ladder with a capital in its name',
    'ladders:\n  Mine: { rungs: [gpt-6-luna] }\n',
    /^keyrung\.yaml:2:3: ladders\.Mine: the name must be up to 50 small letters, digits, \., _ or -\.$/,
  ],
  [
    'a ladder with a name that means none',
    'ladders:\n  off: { rungs: [gpt-6-luna] }\n',
    /^keyrung\.yaml:2:3: ladders\.off: the name must not be off, by which a call asks for no ladder\.$/,
  ],
  [
    'an alias that would be taken for a ladder',
    'aliases:\n  ladder/mine: gpt-6-luna\n',
    /^keyrung\.yaml:2:3: aliases\.ladder\/mine: the name must not begin with ladder\/ or sandbox\/, which stand for ladders and faults\.$/,
  ],
  [
    'an alias that would be taken for a fault',
    'aliases:\n  sandbox/529: gpt-6-luna\n',
    /^keyrung\.yaml:2:3: aliases\.sandbox\/529: the name must not begin with ladder\/ or sandbox\//,
  ],
  [
    'a search for concurrency that starts too low',
    'adaptiveConcurrency:\n  least: 100\n',
    /^keyrung\.yaml:2:3: adaptiveConcurrency: least, which is 100, must not be more than start, which is 64\.$/,
  ],
  [
    'a search for concurrency that starts too high',
    'adaptiveConcurrency:\n  start: 30\n  most: 20\n',
    /^keyrung\.yaml:2:3: adaptiveConcurrency: start, which is 30, must not be more than most, which is 20\.$/,
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

test('config: a value is found by its place, a shared one where it is written, and a missing one by the nearest that is there', () => {
  const config = parse('ladders:\n  one:\n    rungs: &all [gpt-6-luna, grok-4.7]\n  two:\n    rungs: *all\n')
  const at = (...path: (string | number)[]): string => settingAt(config, 'other.yaml', path)
  assert.equal(at('ladders', 'one', 'rungs', 1), 'keyrung.yaml:3:30: ladders.one.rungs.1')
  assert.equal(at('ladders', 'two', 'rungs', 1), 'keyrung.yaml:3:30: ladders.two.rungs.1')
  assert.equal(at('ladders', 'two', 'rungs', 7), 'keyrung.yaml:5:12: ladders.two.rungs.7')
  assert.equal(at('keys', 0), 'keyrung.yaml:1:1: keys.0')
  const made = configSchema(names).parse({})
  assert.equal(settingAt(made, 'other.yaml', ['keys', 0]), 'other.yaml: keys.0')
})

test('config: a search for concurrency may be held to one number', () => {
  const { adaptiveConcurrency } = parse('adaptiveConcurrency: { least: 8, start: 8, most: 8 }\n')
  assert.deepEqual([adaptiveConcurrency.least, adaptiveConcurrency.start, adaptiveConcurrency.most], [8, 8, 8])
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
