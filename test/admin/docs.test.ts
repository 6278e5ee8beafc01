import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { after, suite, test } from 'node:test'
import { routes } from '../../src/control/admin/routes.ts'
import { realControl } from './support/real-control.ts'
import { startAdmin } from './support/server.ts'

const page = readFileSync(new URL('../../docs/admin-api.md', import.meta.url), 'utf8')
const real = realControl()
const admin = await startAdmin({ service: real.service })
after(async () => {
  await admin.close()
  real.close()
})

suite('the page on the admin API', () => {
  test('lists every route with its scope and summary', () => {
    for (const { method, path, scope, summary } of routes) {
      const line = `| \`${method}\` | \`${path}\` | ${scope === 'open' ? '' : `\`${scope}\` `}| ${summary} |`
      assert.ok(page.includes(line), line)
    }
  })

  const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
    block.split(/\n(?=curl)/).filter((command) => command.startsWith('curl')),
  )
  test('has a curl for each common act', () => assert.ok(commands.length >= 13))

  let key: string | undefined
  for (const command of commands) {
    test(`${command.slice(0, 70).replaceAll('\n', ' ')} works when pasted`, async () => {
      key ??= (await admin.ask('POST', '/keys', { body: { name: 'pasted' } })).json<{ id: string }>().id
      const env = { PATH: process.env.PATH, ADMIN: `${admin.url}/admin/v1`, TOKEN: admin.tokens.all, KEY: key }
      // The example is for a key at its second version, and this one has been through more.
      const { version } = (await admin.ask('GET', `/keys/${key}`)).json<{ version: number }>()
      const now = command.replace('"2"', `"${version}"`).replace('-o receipts.csv', '')
      const revokes = now.includes('/revoke')
      const child = spawn('sh', ['-c', `${now.trimEnd()} -w "\n%{http_code}"`], { env, cwd: tmpdir() })
      let out = ''
      child.stdout.on('data', (chunk) => {
        out += String(chunk)
      })
      await once(child, 'close')
      assert.match(out, /\n20[01]$/, out)
      // For what comes next on the page another key is needed.
      if (revokes) key = undefined
    })
  }
})
