import { found, type DeclaredKey, type Settings } from '../../../src/cli/settings.ts'
import { parseConfig } from '../../../src/control/config.ts'
import type { Hook } from '../../../src/control/webhooks.ts'
import { vendors } from '../../../src/vendors/index.ts'
import type { Vendor } from '../../ladder/support/vendor.ts'

/** Settings as they would be read from this file, with our own vendor as Anthropic and OpenAI. */
export function settingsOf(
  vendor: Vendor,
  config: string,
  more: { declaredKeys?: DeclaredKey[]; hooks?: Hook[]; secret?: string } = {},
): Settings {
  const { declaredKeys = [], hooks = [], secret = 'sk-of-the-vendor' } = more
  const names = ['anthropic', 'openai']
  return {
    config: parseConfig(
      config,
      'test.yaml',
      vendors.map(({ name }) => name),
    ),
    file: 'test.yaml',
    credentials: new Map(names.map((name) => [name, [{ ...found(secret, 'test'), name: 'key-1' }]])),
    origins: new Map(names.map((name) => [name, vendor.origin])),
    declaredKeys,
    hooks,
  }
}
