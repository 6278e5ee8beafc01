import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { dialects } from '../dialects/index.ts'
import { models, shippedLadders, vendors } from '../vendors/index.ts'
import { ConfigError, parseConfig } from './config.ts'
import { keysNowhere, leftOut } from './ladders.ts'
import { publish } from './publish.ts'

type Keys = Record<string, string[]>

/** The configuration and what is published of it, with keys of these names at these vendors. */
function published(text: string, keys: Keys = {}, sandbox = true) {
  const config = parseConfig(
    text,
    'keyrung.yaml',
    vendors.map((vendor) => vendor.name),
  )
  const credentials = Object.entries(keys).map(([vendor, names]) => {
    const settings = names.map((name) => ({
      name,
      secret: `secret-${name}`,
      from: 'test',
      weight: 1,
      origin: undefined,
      callsMax: undefined,
    }))
    return [vendor, settings] as const
  })
  const snapshot = publish({
    config,
    file: 'keyrung.yaml',
    callers: new Map(),
    declared: new Map(),
    plans: [],
    digest: () => Buffer.alloc(0),
    vendors,
    models,
    shippedLadders,
    dialects,
    credentials: new Map(credentials),
    origins: new Map(),
    sandboxOrigin: sandbox ? (vendor) => `http://127.0.0.1:1/${vendor}` : undefined,
  })
  return { config, snapshot }
}

const ladder = (...rungs: string[]): string =>
  `ladders:\n  mine:\n    rungs:\n${rungs.map((one) => `      - ${one}\n`).join('')}`

const twoKeys = "vendors: { openai: { keys: [{ name: eu, key: '${A}' }, { name: us, key: '${B}' }] } }\n"

const mistakes: [sentence: string, text: string, keys: Keys, message: string][] = [
  [
    'a model of nobody’s',
    ladder('gpt-6-luna', 'nonsense'),
    {},
    "keyrung.yaml:5:9: ladders.mine.rungs.1: no vendor has a model 'nonsense'.",
  ],
  [
    'a model of nobody’s in a rung with more to it',
    ladder('{ model: nonsense }'),
    {},
    "keyrung.yaml:4:18: ladders.mine.rungs.0.model: no vendor has a model 'nonsense'.",
  ],
  [
    'a key that a live vendor has not',
    ladder('{ model: gpt-6-luna, credentials: [eu, asia] }'),
    { openai: ['eu', 'us'] },
    "keyrung.yaml:4:48: ladders.mine.rungs.0.credentials.1: openai has no key 'asia'. Known: eu, us.",
  ],
  [
    'a key that the file does not give a vendor, though it is simulated',
    twoKeys + ladder('{ model: gpt-6-luna, credentials: [asia] }'),
    {},
    "keyrung.yaml:5:44: ladders.mine.rungs.0.credentials.0: openai has no key 'asia'. Known: eu, us.",
  ],
  [
    'another name for the one key that the file gives a vendor',
    "vendors: { openai: { key: '${A}' } }\n" + ladder('{ model: gpt-6-luna, credentials: [eu] }'),
    {},
    "keyrung.yaml:5:44: ladders.mine.rungs.0.credentials.0: openai has no key 'eu'. Known: default.",
  ],
  [
    'a rung that comes twice',
    ladder('gpt-6-luna', 'grok-4.7', 'gpt-6-luna'),
    {},
    'keyrung.yaml:6:9: ladders.mine.rungs.2: is the same as rung 0: the same model by the same keys. Remove one of them.',
  ],
  [
    'a rung that comes again under another name, with its keys named',
    'aliases: { fast: openai/gpt-6-luna }\n' + ladder('gpt-6-luna', '{ model: fast, credentials: [us, eu] }'),
    { openai: ['eu', 'us'] },
    'keyrung.yaml:6:9: ladders.mine.rungs.1: is the same as rung 0: the same model by the same keys. Remove one of them.',
  ],
  [
    'a rule for a ladder that there is not',
    'shippedLadders: false\n' + ladder('gpt-6-luna') + "ladderRules:\n  - { models: '*', ladder: yours }\n",
    {},
    "keyrung.yaml:7:28: ladderRules.0.ladder: there is no ladder 'yours'. Known: mine.",
  ],
  [
    'a rule where there is no ladder at all',
    "shippedLadders: false\nladderRules: [{ models: '*', ladder: yours }]\n",
    {},
    "keyrung.yaml:2:38: ladderRules.0.ladder: there is no ladder 'yours'. There is no ladder here.",
  ],
  [
    'a caller’s key for a ladder that there is not',
    'shippedLadders: false\n' + ladder('gpt-6-luna') + "keys:\n  - { name: ci, key: '${CI}', ladder: yours }\n",
    {},
    "keyrung.yaml:7:39: keys.0.ladder: there is no ladder 'yours'. Known: mine.",
  ],
  [
    'a rule for a ladder whose only vendor is switched off',
    'shippedLadders: false\nvendors: { openai: { enabled: false } }\n' +
      ladder('gpt-6-luna') +
      "ladderRules: [{ models: '*', ladder: mine }]\n",
    { openai: ['eu'] },
    "keyrung.yaml:7:38: ladderRules.0.ladder: none of the rungs of ladder 'mine' has a key. There is no ladder here.",
  ],
]

suite('ladders', () => {
  for (const [sentence, text, keys, message] of mistakes) {
    test(`${sentence} is told with its place`, () => {
      assert.throws(
        () => published(text, keys),
        (thrown) => {
          assert.ok(thrown instanceof ConfigError)
          assert.equal(thrown.message, message)
          return true
        },
      )
    })
  }

  test('one model by one key and by another are two rungs', () => {
    const text = ladder('{ model: gpt-6-luna, credentials: [eu] }', '{ model: gpt-6-luna, credentials: [us] }')
    const { snapshot } = published(text, { openai: ['eu', 'us'] })
    const names = snapshot.ladders.get('mine')?.levels.map((level) => level.credentials.map((one) => one.name))
    assert.deepEqual(names, [['eu'], ['us']])
  })

  test('a shipped ladder in which an alias makes two rungs one is no mistake of the operator’s', () => {
    const { snapshot } = published('aliases: { gpt-6-luna: deepseek-flash }\n')
    assert.ok(snapshot.ladders.has('haiku'))
  })

  test('names of keys at a vendor without any are let pass, and told', () => {
    const text = ladder('{ model: gpt-6-luna, credentials: [eu] }', '{ model: grok-4.7, credentials: [default] }')
    const { config, snapshot } = published(text, { xai: ['default'] })
    assert.deepEqual(keysNowhere(config, snapshot), ['eu of OpenAI'])
  })

  test('a vendor that is switched off has no keys and is not simulated, and the others are as before', () => {
    const text = 'vendors: { openai: { enabled: false }, xai: { enabled: true } }\n'
    const { snapshot } = published(text, { openai: ['eu'], xai: ['eu'] })
    const states = [...snapshot.vendors].map(([name, { credentials, sandbox, simulated }]) => [
      name,
      credentials.map((one) => one.name).join(),
      sandbox !== undefined,
      simulated,
    ])
    assert.deepEqual(states, [
      ['anthropic', 'sandbox', true, true],
      ['openai', '', false, false],
      ['google', 'sandbox', true, true],
      ['xai', 'eu', true, false],
      ['deepseek', 'sandbox', true, true],
    ])
  })

  test('a rung is left out where its vendor has no key, is switched off, or is simulated beside live ones', () => {
    const text =
      'vendors: { google: { enabled: false } }\n' + ladder('gpt-6-luna', '{ model: grok-4.7 }', 'gemini-3.8-flash')
    const off = { ladder: 'mine', model: 'gemini-3.8-flash', vendor: 'Google', why: 'is switched off' }
    const cases: [keys: Keys, sandbox: boolean, expected: object[]][] = [
      [{ openai: ['a'] }, true, [{ ladder: 'mine', model: 'grok-4.7', vendor: 'xAI', why: 'is simulated' }, off]],
      [{ openai: ['a'] }, false, [{ ladder: 'mine', model: 'grok-4.7', vendor: 'xAI', why: 'has no key' }, off]],
      [{}, true, [off]],
      [{ openai: ['a'], xai: ['b'], google: ['c'] }, true, [off]],
    ]
    for (const [keys, sandbox, expected] of cases) {
      const { config, snapshot } = published(text, keys, sandbox)
      assert.deepEqual(leftOut(config, snapshot), expected)
    }
  })
})
