import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { startLadderGateway, type KeySetting, type LadderGateway } from './gateway.ts'
import { startVendor, type Vendor } from './vendor.ts'
import { well } from './ways.ts'

interface Setting {
  /** What the configuration says besides the ladders `two` and `three`. */
  config?: string
  /** Settings of the ladders: `hedgeAfterMs: 50`. */
  ladder?: string
  /** Ladders in place of those. */
  ladders?: string
  /** Where the first vendor is, if not where its own server is. */
  firstOrigin?: string
  /** Keys of the first vendor, and of the second. */
  keys?: KeySetting[]
  secondKeys?: KeySetting[]
  declaredKeys?: { name: string; key: string; ladder?: string }[]
}

/** A gateway before vendors of our own, each of which answers well until a test says otherwise. */
export interface Stage {
  gateway: LadderGateway
  /** Of claude-sonnet-5, rung 0 of both ladders. */
  first: Vendor
  /** Of gpt-4.1, rung 1. */
  second: Vendor
  /** Of deepseek-flash, rung 2 of `three`. */
  third: Vendor
}

export const firstModel = 'claude-sonnet-5'
export const secondModel = 'gpt-4.1'
export const thirdModel = 'deepseek-flash'

/** Sets it up for one test, and takes it down after it; the gateway must have met no bug of its own. */
export async function stage(context: TestContext, setting: Setting = {}): Promise<Stage> {
  const { config = '', ladder = '', ladders, keys, secondKeys, declaredKeys, firstOrigin } = setting
  const [first, second, third] = await Promise.all([startVendor(well), startVendor(well), startVendor(well)])
  const gateway = await startLadderGateway({
    vendors: {
      anthropic: { at: firstOrigin ?? first, ...(keys && { keys }) },
      openai: { at: second, ...(secondKeys && { keys: secondKeys }) },
      deepseek: { at: third },
    },
    config: `${config}\n${ladders ?? usualLadders(ladder === '' ? '' : `, ${ladder}`)}`,
    ...(declaredKeys && { declaredKeys }),
  })
  context.after(async () => {
    await gateway.close()
    await Promise.all([first.close(), second.close(), third.close()])
    assert.deepEqual(gateway.faults, [])
  })
  return { gateway, first, second, third }
}

function usualLadders(more: string): string {
  return `ladders:
  two: { rungs: [${firstModel}, ${secondModel}]${more} }
  three: { rungs: [${firstModel}, ${secondModel}, ${thirdModel}]${more} }
  one: { rungs: [${firstModel}]${more} }`
}
