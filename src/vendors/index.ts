import type { Model, Vendor } from '../core/vendor.ts'
import catalogue from './catalogue.json' with { type: 'json' }
import { anthropic } from './anthropic.ts'
import { deepseek } from './deepseek.ts'
import { google } from './google.ts'
import { openai } from './openai.ts'
import { xai } from './xai.ts'

/** The vendors Keyrung carries calls to. A new one that speaks a known dialect is one file and one line here. */
export const vendors: readonly Vendor[] = [anthropic, openai, google, xai, deepseek]

/** What is known of their models; a name that is not here is routed by its prefix. */
export const models = catalogue as readonly Model[]

export { shippedLadders } from './ladders.ts'
