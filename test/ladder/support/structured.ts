import assert from 'node:assert/strict'

/** An item of a list of RFC 9651, with its parameters. */
export interface Item {
  value: string
  parameters: Record<string, string | number | true>
}

/** A header as a list of strings by the grammar of RFC 9651; throws where it is none. */
export function structuredList(text: string): Item[] {
  const items: Item[] = []
  let at = 0
  const take = (pattern: RegExp): string => {
    const sticky = new RegExp(pattern, 'y')
    sticky.lastIndex = at
    const found = sticky.exec(text)?.[0]
    assert.ok(found !== undefined, `no ${String(pattern)} at ${at} of ${text}`)
    at += found.length
    return found
  }
  for (;;) {
    const value = take(/"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/).slice(1, -1)
    const parameters: Item['parameters'] = {}
    while (text[at] === ';') {
      const name = take(/; *[a-z*][a-z0-9_\-.*]*/).replace(/^; */, '')
      if (text[at] !== '=') parameters[name] = true
      else if (/\d|-/.test(text[at + 1] ?? '')) parameters[name] = Number(take(/=-?\d{1,15}/).slice(1))
      else parameters[name] = take(/=[A-Za-z*][!#$%&'*+\-.^_`|~\w:/]*/).slice(1)
    }
    items.push({ value, parameters })
    if (at === text.length) return items
    take(/[ \t]*,[ \t]*/)
  }
}
