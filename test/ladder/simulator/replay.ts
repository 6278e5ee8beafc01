import type { CallLog } from './log.ts'
import { ofAllCalls, ofEachCall } from './invariants.ts'
import { play, type Trace } from './play.ts'
import type { Scene } from './scene.ts'

/** Lines of a trace: enough to see what led to a failure, and no flood. */
const linesMax = 400

/** Plays a scene and holds it against all invariants. Returns what was played; throws an Error that tells all of what is wrong. */
export async function check(scene: Scene): Promise<readonly CallLog[]> {
  const played = await play(scene)
  for (const invariant of ofEachCall) {
    for (const call of played.calls) {
      const what = invariant(call, played)
      if (what !== undefined) throw await report(scene, invariant.name, what, call.number)
    }
  }
  for (const invariant of ofAllCalls) {
    const wrong = invariant(played)
    if (wrong !== undefined) throw await report(scene, invariant.name, wrong.what, wrong.call)
  }
  return played.calls
}

/** All that happens in a scene, a line each. */
export async function traceOf(
  scene: Scene,
  about: (line: Parameters<Trace>[0]) => boolean = () => true,
): Promise<string[]> {
  const lines: string[] = []
  await play(scene, (line) => {
    if (!about(line)) return
    const { atMs, call, place, text } = line
    lines.push(`${atMs.toFixed(3).padStart(14)} ms  call ${call}${place === undefined ? '' : `  ${place}`}  ${text}`)
  })
  return lines
}

/** Plays it again, since the same scene always goes the same way, and this time writes down what happens. */
async function report(scene: Scene, invariant: string, what: string, call: number | undefined): Promise<Error> {
  const { calls, ...options } = scene
  const lines = await traceOf(scene, (line) => call === undefined || line.call === call)
  return new Error(
    [
      `Seed ${scene.seed}${call === undefined ? '' : `, call ${call} of ${calls.length}`}: ${invariant}: ${what}.`,
      `To see it again: KEYRUNG_SEED=${scene.seed}`,
      `The scene: ${JSON.stringify(options, (_, value: unknown) => (value === Infinity ? 'Infinity' : value), 1)}`,
      ...lines.slice(-linesMax),
    ].join('\n'),
  )
}
