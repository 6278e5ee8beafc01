import type { Fault } from './fault.ts'
import { refused } from './refused.ts'
import { refusalsOf } from './refusals/index.ts'
import type { Hint, RefusalTable } from './refusals/refusal-table.ts'

type Name = Exclude<keyof RefusalTable, 'limit'>

const secondsMax = 86_400

/** Error statuses: the vendor answers, and says no in its own shape and words. */
export const statusFaults: readonly Fault[] = [
  told('400', '400', 'Says that a field of the request breaks a rule.'),
  told('401', '401', 'Refuses the key: 401, at Google and xAI 400.'),
  told('402', '402', 'Says that it has not been paid: 402, at OpenAI 429 and at xAI 403.'),
  told('403', '403', 'Says that the key may not do this.'),
  told('404', '404', 'Does not know the model; DeepSeek does not know the path.'),
  told('409', '409', 'Says that another request is changing the same thing.'),
  told('413', '413', 'Says that the body is too large: 413, at Google 400.'),
  told('422', '422', 'Says that it cannot process the body: 422, at Google 400.'),
  limited('429', undefined, 'Limits the rate and does not say when to come back.'),
  limited(
    '429-after-N',
    'after',
    'Limits the rate and says how many seconds to wait (Retry-After; Google: RetryInfo).',
  ),
  limited(
    '429-after-ms-N',
    'after-ms',
    'Limits the rate and says how many milliseconds to wait: OpenAI by retry-after-ms, Google by RetryInfo, the others in seconds.',
  ),
  limited(
    '429-date-N',
    'date',
    'Limits the rate and says when to come back, as an HTTP date N seconds ahead (Google: RetryInfo).',
  ),
  limited(
    '429-retryinfo-N',
    'retryinfo',
    "Limits the rate and says how many seconds to wait by Google's RetryInfo in the body; the others by Retry-After.",
  ),
  limited(
    '429-text-N',
    'text',
    'Limits the rate and says how many seconds to wait: OpenAI in the text of its message alone, Google by RetryInfo, the others by Retry-After.',
  ),
  limited(
    '429-reset-N',
    'reset',
    'Limits the rate and shows an empty bucket that is full again in N seconds: Anthropic and OpenAI in their rate limit headers, Google by RetryInfo, the others by Retry-After.',
  ),
  told('quota', 'quota', 'Says that its credit is used up: Anthropic 400, OpenAI, Google and xAI 429, DeepSeek 402.'),
  told(
    'quota-period',
    'quota-period',
    'Says that a quota or spending limit is used up until the next day or month: 429, at DeepSeek 402.',
  ),
  told('500', '500', 'Breaks while it is answering.'),
  told('502-html', '502-html', 'A proxy before it answers 502 with a page of HTML.'),
  told('503', '503', 'Is not available: says that it is overloaded; Anthropic’s network answers with plain text.'),
  told('504', '504', 'Takes too long and says so itself: DeepSeek by a page of HTML.'),
  told('529', '529', 'Is overloaded: Anthropic 529, the others 503.'),
  told('overloaded', '529', 'Is overloaded: another name of 529.'),
  told('region', 'region', 'Refuses the country that the call comes from.'),
  told(
    'policy',
    'policy',
    'Refuses the prompt for what it says: 400, at xAI 403, at Google an answer without candidates.',
  ),
  told('too-long', 'too-long', "Says that the prompt does not fit into the model's window."),
]

function told(name: string, entry: Name, about: string): Fault {
  return { name, about, moment: 'status', max: 0, answer: (reply) => refused(reply, refusalsOf(reply)[entry]) }
}

function limited(name: string, form: Hint['form'] | undefined, about: string): Fault {
  const unitMs = form === 'after-ms' ? 1 : 1000
  return {
    name,
    about,
    moment: 'status',
    max: form === undefined ? 0 : (secondsMax * 1000) / unitMs,
    answer(reply, count) {
      const hint = form === undefined ? undefined : { form, ms: count * unitMs, nowMs: reply.nowMs }
      return refused(reply, refusalsOf(reply).limit(hint))
    },
  }
}
