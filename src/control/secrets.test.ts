import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { ConfigError } from './config.ts'
import { digestUnder, pepperIn, resolveReference } from './secrets.ts'

test('secrets: a pepper is made once, for its owner only, and an empty one is refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'keyrung-secrets-'))
  const first = digestUnder(pepperIn(folder))('key')
  const pepper = Buffer.from(readFileSync(join(folder, 'pepper'), 'utf8'), 'hex')
  assert.deepEqual(first, createHmac('sha256', pepper).update('key').digest())
  assert.deepEqual(digestUnder(pepperIn(folder))('key'), first)
  assert.equal(statSync(join(folder, 'pepper')).mode & 0o777, 0o600)
  writeFileSync(join(folder, 'pepper'), '')
  assert.throws(() => digestUnder(pepperIn(folder)), ConfigError)
  rmSync(folder, { recursive: true })
})

suite('secrets: a reference', () => {
  test('to the environment gives its value without white space around it', () => {
    assert.equal(resolveReference('${A_KEY}', 'x', { A_KEY: ' secret\n' }), 'secret')
  })
  test('to a file gives its text', () => {
    const folder = mkdtempSync(join(tmpdir(), 'keyrung-secrets-'))
    writeFileSync(join(folder, 'key'), 'secret\n')
    assert.equal(resolveReference(`file:${join(folder, 'key')}`, 'x', {}), 'secret')
    rmSync(folder, { recursive: true })
  })
  for (const [sentence, reference, message] of [
    ['to what the environment lacks', '${NOT_THERE}', /x: the environment has no NOT_THERE/],
    ['to what is empty', '${EMPTY}', /x: \$\{EMPTY\} is empty/],
    ['to a file that is not there', 'file:/nowhere/at/all', /x: \/nowhere\/at\/all cannot be read/],
  ] as const) {
    test(`${sentence} is told by name`, () => {
      assert.throws(() => resolveReference(reference, 'x', { EMPTY: ' ' }), message)
    })
  }
})
