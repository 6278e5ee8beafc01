import { Refusal } from './refusal.ts'

/** More are a mistake: no route has half as many. */
const parametersMax = 32

/** The query of a target as texts by name. Throws Refusal 400 where a name stands twice: one of the two would be overlooked. */
export function readQuery(target: string): Record<string, string> {
  const at = target.indexOf('?')
  const query = Object.create(null) as Record<string, string>
  let count = 0
  for (const [name, value] of new URLSearchParams(at === -1 ? '' : target.slice(at + 1))) {
    count += 1
    if (Object.hasOwn(query, name) || count > parametersMax) {
      throw new Refusal(400, 'field-invalid', 'The query names something twice, or too many things.', {
        path: /^\w{1,40}$/.test(name) ? name : undefined,
        fix: 'Give each parameter once; where it takes several values, put commas between them.',
      })
    }
    query[name] = value
  }
  return query
}
