import type { Expected, Place } from './matrix.ts'

/** Where a vendor cannot do a fault, or its own form of it means something else. */
export interface Exception {
  reason: string
  fits: (at: Omit<Place, 'expected'>) => boolean
  changes: Partial<Expected>
}

/** Each with its reason; later ones win. */
export const exceptions: readonly Exception[] = [
  {
    reason: 'Google answers a prompt that it refuses, without candidates: an answer that ends as a refusal.',
    fits: ({ fault, vendor }) => fault === 'policy' && vendor === 'google',
    changes: { kind: 'ok', refusal: true },
  },
  {
    reason: 'Whole seconds are all that Anthropic, xAI and DeepSeek can say.',
    fits: ({ fault, vendor }) => fault === '429-after-ms-1200' && vendor !== 'openai' && vendor !== 'google',
    changes: { waitMs: 2000 },
  },
  {
    reason:
      'Google can end a stream with its error as bare JSON, on its OpenAI endpoint too: where the gateway reads such a stream it is the error. Else it is a line that is no field, and then the end.',
    fits: (at) => at.fault.startsWith('error-bare-after') && at.streamed && (at.vendor === 'google' || readsChat(at)),
    changes: { kind: 'vendor-overloaded' },
  },
]

/** The vendor is spoken to in OpenAI's chat format, by a caller of Anthropic's. */
function readsChat({ vendor, model, dialect }: Pick<Place, 'vendor' | 'model' | 'dialect'>): boolean {
  return dialect === 'anthropic' && (vendor === 'deepseek' || model === 'gpt-4.1')
}
