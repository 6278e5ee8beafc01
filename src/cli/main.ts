#!/usr/bin/env node
import { Command } from 'commander'
import { ConfigError, configJsonSchema } from '../control/config.ts'
import { vendors } from '../vendors/index.ts'
import manifest from '../../package.json' with { type: 'json' }
import { serve } from './serve.ts'
import type { Flags } from './settings.ts'

const exitConfig = 78

const program = new Command('keyrung')
  .description('One key for Claude, GPT, Gemini, Grok and DeepSeek, in the dialect of your own SDK.')
  .version(manifest.version)
  .showHelpAfterError('(keyrung --help tells what there is)')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 64))

program
  .command('serve', { isDefault: true })
  .description('run the gateway')
  .option('-c, --config <file>', 'configuration file (default: keyrung.yaml, where there is one; or KEYRUNG_CONFIG)')
  .option('-p, --port <number>', 'port to listen on (default: 8787; or KEYRUNG_PORT)')
  .option('-H, --host <address>', 'address to listen on (default: 127.0.0.1; or KEYRUNG_HOST)')
  .option('-d, --data <folder>', 'folder for the database (default: ./data; or KEYRUNG_DATA)')
  .option(
    '-w, --workers <number>',
    'threads that serve calls: auto is one a core (the default), 0 none (or KEYRUNG_WORKERS)',
  )
  .option('--sandbox', 'let simulated vendors answer for those without a key (the default; or KEYRUNG_SANDBOX=on)')
  .option('--no-sandbox', 'no simulated vendors: one without a key is an error (or KEYRUNG_SANDBOX=off)')
  .addHelpText(
    'after',
    `\nVendors' keys come from the environment: ${vendors.map((vendor) => vendor.keyNames.join(' or ')).join(', ')}.`,
  )
  .action((flags: Flags) => serve(flags, manifest.version))

program
  .command('schema')
  .description('print the JSON Schema of keyrung.yaml, for editors')
  .action(() => {
    const schema = configJsonSchema(vendors.map((vendor) => vendor.name))
    process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof ConfigError)) throw error
  process.stderr.write(`${error.message}\n`)
  process.exitCode = exitConfig
}
