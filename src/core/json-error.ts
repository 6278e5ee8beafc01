// oxlint-disable no-control-regex -- control characters are exactly what JSON forbids in its texts
const scalar =
  /(?:"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y
const name = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const space = /[ \t\n\r]*/y

type Expected = 'value' | 'value-or-close' | 'name' | 'name-or-close' | 'colon' | 'comma-or-close' | 'nothing'

/**
 * Where text stops being JSON: the index of the first character that no JSON could have there, the length of the text where
 * it only ends too soon. The engine's own message does not always tell, and quotes the text.
 */
export function jsonErrorAt(text: string): number {
  const open: ('{' | '[')[] = []
  let expected: Expected = 'value'
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    if (!pattern.test(text)) return false
    at = pattern.lastIndex
    return true
  }
  for (;;) {
    take(space)
    const character = text[at]
    if (expected === 'nothing' || character === undefined) return at
    const last = open.at(-1)
    const closes = character === (last === '{' ? '}' : ']') && last !== undefined
    if (closes && expected.endsWith('close')) {
      open.pop()
      at += 1
      expected = open.length === 0 ? 'nothing' : 'comma-or-close'
    } else if (expected === 'colon' || expected === 'comma-or-close') {
      if (character !== (expected === 'colon' ? ':' : ',')) return at
      at += 1
      expected = expected === 'colon' || last === '[' ? 'value' : 'name'
    } else if (expected.startsWith('name')) {
      if (!take(name)) return brokenIn(text, at)
      expected = 'colon'
    } else if (character === '{' || character === '[') {
      open.push(character)
      at += 1
      expected = character === '{' ? 'name-or-close' : 'value-or-close'
    } else {
      if (!take(scalar)) return brokenIn(text, at)
      expected = open.length === 0 ? 'nothing' : 'comma-or-close'
    }
  }
}

const begun = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y

/** Where in a text or word that begins at `at` it goes wrong. */
function brokenIn(text: string, at: number): number {
  begun.lastIndex = at
  if (begun.test(text)) return begun.lastIndex
  const word = ['true', 'false', 'null'].find((one) => one[0] === text[at]) ?? ''
  let length = 0
  while (length < word.length && word[length] === text[at + length]) length += 1
  return at + length
}

/** Is JSON nested deeper than `depthMax`? */
export function deeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depthMax === 0) return true
  for (const inner of Object.values(value)) if (deeperThan(inner, depthMax - 1)) return true
  return false
}
