import type { Prompt } from '../core/prompt.ts'
import type { Model } from '../core/vendor.ts'

/** The caller's limit for the answer: more than the model can give is refused by some, and is no more than it can give. */
export function tokensMaxOf({ tokensMax }: Prompt, { outputMax }: Model): number | undefined {
  return tokensMax === undefined ? undefined : Math.min(tokensMax, outputMax ?? tokensMax)
}
