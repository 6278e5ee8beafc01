import type { Turn } from '../../core/prompt.ts'
import { invalid } from './fields.ts'

/**
 * Holds the Messages API's rule that every tool call is answered in the very next user turn, and nothing else is:
 * other vendors would answer with errors that name nothing of the caller's request.
 */
export function checkPairing(turns: readonly Turn[]): void {
  let calls: string[] = []
  let callsPath = ''
  let open = new Set<string>()
  let role: Turn['role'] | undefined
  for (const turn of turns) {
    // An instruction in mid-conversation stands between turns and belongs to neither side.
    if (turn.role === 'system') continue
    if (turn.role === 'assistant') {
      if (role === 'user') demandAnswered(callsPath, open)
      if (role !== 'assistant') calls = []
      for (const part of turn.parts) if (part.type === 'tool-call') calls.push(part.id)
      open = new Set(calls)
      callsPath = turn.path
    } else {
      for (const part of turn.parts) {
        if (part.type !== 'tool-result') continue
        if (!calls.includes(part.callId)) {
          throw invalid(
            part.path,
            `unexpected \`tool_use_id\` in a \`tool_result\` block: ${part.callId}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message`,
          )
        }
        open.delete(part.callId)
      }
    }
    role = turn.role
  }
  if (role === 'user') demandAnswered(callsPath, open)
}

function demandAnswered(path: string, open: ReadonlySet<string>): void {
  if (open.size === 0) return
  throw invalid(
    path,
    `\`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...open].join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message`,
  )
}
