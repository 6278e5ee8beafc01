import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings } from '../src/cli/settings.ts'
import { start } from '../src/cli/start.ts'
import { vendors } from '../src/vendors/index.ts'
import { serveParent, type Started } from './child.ts'

/**
 * The gateway as it is measured: as `keyrung serve` would start it, in this process alone, with every vendor's origin
 * pointing to the scripted vendor and a data folder of its own.
 */
async function startGateway(vendorOrigin: string, directory: string): Promise<Started> {
  // An empty file, so that a keyrung.yaml that happens to lie where the bench is run is not read.
  const config = join(directory, 'keyrung.yaml')
  writeFileSync(config, '')
  const environment = Object.fromEntries(
    vendors.flatMap((vendor) => [
      [vendor.keyNames[0], 'key-of-the-scripted-vendor'],
      [`KEYRUNG_${vendor.name.toUpperCase()}_ORIGIN`, vendorOrigin],
    ]),
  )
  const data = join(directory, `data-${process.pid}`)
  const settings = readSettings({ config, data, port: '0', sandbox: false, workers: '0' }, environment, vendors)
  const { url, newKey = '' } = await start(settings, {
    fault: (id, cause) => process.stderr.write(`fault ${id} ${String(cause)}\n`),
    vendor: (name, kind) => process.stderr.write(`${name} ${kind}\n`),
  })
  return { port: Number(new URL(url).port), key: newKey }
}

const [vendorOrigin = '', directory = ''] = process.argv.slice(2)
serveParent(await startGateway(vendorOrigin, directory))
