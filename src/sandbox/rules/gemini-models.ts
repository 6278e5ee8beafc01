/** What the names of Gemini's models tell. */
export interface GeminiFacts {
  /** Gemini 3 and later: `thinkingLevel`, and signatures that must come back on function calls. */
  readonly signatures: boolean
  readonly thinks: boolean
  readonly thinkingOff: boolean
  readonly levels: readonly string[]
  readonly penalties: boolean
  /** A last content of the model, to be continued. */
  readonly prefill: boolean
  readonly outputMax: number
  readonly window: number
}

/** Reads `gemini-3.1-pro-preview`, `gemini-2.5-flash`, `gemini-flash-latest`, `gemma-4-31b-it`. */
export function geminiFacts(model: string): GeminiFacts {
  const gemma = model.startsWith('gemma')
  const named = /^gemini-(\d+(?:\.\d+)?)/.exec(model)?.[1]
  const version = Number(named ?? (model.startsWith('gemini-pro-') ? 3.1 : 3.8))
  const signatures = !gemma && version >= 3
  return {
    signatures,
    thinks: gemma || version >= 2.5,
    thinkingOff: gemma || (version < 3 && !model.includes('pro')),
    levels: gemma ? ['MINIMAL', 'HIGH'] : signatures ? levelsOf(model, version) : [],
    penalties: gemma,
    prefill: gemma || version < 3.5,
    outputMax: gemma ? 32_768 : 65_536,
    window: gemma ? 262_144 : 1_048_576,
  }
}

function levelsOf(model: string, version: number): readonly string[] {
  const levels = ['LOW', 'MEDIUM', 'HIGH']
  if (model.includes('flash-lite') || (model.includes('flash') && version <= 3.6)) levels.unshift('MINIMAL')
  if (/neon|hydrogen/.test(model)) levels.push('XHIGH')
  return levels
}
