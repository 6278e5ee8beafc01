import type { Reply } from '../fault.ts'
import { anthropicRefusals } from './anthropic.ts'
import { deepseekRefusals } from './deepseek.ts'
import { googleRefusals } from './google.ts'
import { openaiRefusals } from './openai.ts'
import type { RefusalTable } from './refusal-table.ts'
import { xaiRefusals } from './xai.ts'

const tables: Readonly<Record<string, (reply: Reply) => RefusalTable>> = {
  anthropic: anthropicRefusals,
  openai: openaiRefusals,
  google: googleRefusals,
  xai: xaiRefusals,
  deepseek: deepseekRefusals,
}

/** What this vendor says to this call. A new vendor speaks as OpenAI does until it has words of its own here. */
export function refusalsOf(reply: Reply): RefusalTable {
  return (tables[reply.vendor.name] ?? openaiRefusals)(reply)
}
