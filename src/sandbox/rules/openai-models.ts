/** What the names of OpenAI's models tell. */
export interface GptFacts {
  readonly reasons: boolean
  /** The values of its reasoning effort, least first. */
  readonly efforts: readonly string[]
  /** `temperature` and `top_p`: yes, no, or only without reasoning. */
  readonly sampling: 'yes' | 'unreasoned' | 'no'
  /** It is served on /v1/responses alone. */
  readonly responsesOnly: boolean
  /** Function tools on /v1/chat/completions only with `reasoning_effort: "none"`. */
  readonly chatToolsUnreasoned: boolean
  readonly window: number
}

/** Reads `gpt-5.6-terra`, `gpt-4o-mini-2024-07-18`, `o3-pro`, `chat-latest`. */
export function gptFacts(model: string): GptFacts {
  const name = model.replace(/^ft:/, '')
  const version = Number(/^gpt-(\d+(?:\.\d+)?)/.exec(name)?.[1] ?? (name.startsWith('chat-latest') ? 6 : 0))
  const ancient = /^o\d/.test(name)
  const reasons = ancient || (version >= 5 && !name.startsWith('gpt-5-chat'))
  const pro = /-pro\b/.test(name)
  return {
    reasons,
    efforts: reasons ? effortsOf(name, version) : [],
    sampling: !reasons ? 'yes' : version >= 5.1 && version < 5.5 && !pro ? 'unreasoned' : 'no',
    responsesOnly: pro || /codex|deep-research/.test(name),
    chatToolsUnreasoned: version >= 5.4,
    window: windowOf(name, version),
  }
}

function effortsOf(name: string, version: number): readonly string[] {
  if (/^o\d/.test(name)) return ['low', 'medium', 'high']
  if (name.startsWith('chat-latest')) return ['medium']
  if (/-pro\b/.test(name)) return version < 5.2 ? ['high'] : ['medium', 'high', 'xhigh']
  if (version < 5.1) return ['minimal', 'low', 'medium', 'high']
  const usual = ['none', 'low', 'medium', 'high']
  if (version < 5.2) return usual
  if (version < 5.6) return [...usual, 'xhigh']
  const all = [...usual, 'xhigh', 'max']
  const always = /-astra|-rosalind/.test(name) || version >= 6.2 || name.startsWith('gpt-6.1-sol')
  return always ? all.slice(1) : all
}

function windowOf(name: string, version: number): number {
  if (/^o\d/.test(name)) return 200_000
  if (name.startsWith('gpt-4.1')) return 1_047_576
  if (version >= 5.4 && !/-mini|-nano|^chat-latest/.test(name)) return 1_050_000
  return version >= 5 ? 400_000 : 128_000
}
