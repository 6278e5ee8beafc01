/** A ladder as Keyrung ships it: in use only where a call, a key or a rule of the operator names it. */
export interface ShippedLadder {
  readonly name: string
  readonly rungs: readonly string[]
}

/**
 * The current models by what people use them for: first the one the ladder is named after, then the nearest of its own vendor
 * where there is one, then the nearest of others. Near means by price and size, as the catalogue has them.
 */
export const shippedLadders: readonly ShippedLadder[] = [
  { name: 'opus', rungs: ['claude-opus-5-5', 'claude-sonnet-5-5', 'gpt-6.2-sol', 'gemini-4-neon'] },
  { name: 'sonnet', rungs: ['claude-sonnet-5-5', 'gpt-6.2-sol', 'gemini-4-carbon', 'grok-4.7'] },
  { name: 'haiku', rungs: ['claude-haiku-5-5', 'gpt-6-luna', 'gemini-3.8-flash', 'deepseek-flash'] },
  { name: 'gpt', rungs: ['gpt-6.2-sol', 'gpt-6.1-terra', 'claude-sonnet-5-5', 'gemini-4-carbon'] },
  { name: 'gemini', rungs: ['gemini-4-neon', 'gemini-4-carbon', 'gpt-6.2-sol', 'claude-sonnet-5-5'] },
  { name: 'grok', rungs: ['grok-4.7', 'gpt-6.1-terra', 'gemini-4-carbon'] },
  { name: 'deepseek', rungs: ['deepseek-v4-pro', 'deepseek-flash', 'gpt-6-luna', 'gemini-3.8-flash'] },
]
