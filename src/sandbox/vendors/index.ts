import type { SimulatedVendor } from '../vendor.ts'
import { anthropicVendor } from './anthropic.ts'
import { deepseekVendor } from './deepseek.ts'
import { googleVendor } from './google.ts'
import { openaiVendor } from './openai.ts'
import { xaiVendor } from './xai.ts'

/** All simulated vendors. A new one is a file and a line here. */
export const simulatedVendors: readonly SimulatedVendor[] = [
  anthropicVendor,
  openaiVendor,
  googleVendor,
  xaiVendor,
  deepseekVendor,
]
