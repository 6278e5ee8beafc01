/** What is read of an item of a feed. */
export interface FeedItem {
  title: string
  link: string
  pubDate: string
  description: string
  categories: readonly string[]
}

/**
 * The items of an RSS 2.0 feed; undefined where the text is no feed, or not all of one. No parser of XML: it finds tags by
 * their names and knows CDATA and entities, which is all that a list of titles needs. Its time grows with the text and no faster.
 */
export function feedItems(text: string): FeedItem[] | undefined {
  if (!/<rss\b/i.test(text.slice(0, 1000)) || !text.trimEnd().endsWith('</rss>')) return undefined
  const feed = withoutCdata(text)
  return feed === undefined ? undefined : elements(feed, 'item')?.map((item) => itemOf(item))
}

/** The same document with each CDATA section as the text it stands for, so that every `<` is a tag. */
function withoutCdata(text: string): string | undefined {
  const [before = '', ...sections] = text.split('<![CDATA[')
  const parts = [before]
  for (const section of sections) {
    const end = section.indexOf(']]>')
    if (end < 0) return undefined
    parts.push(escaped(section.slice(0, end)), section.slice(end + ']]>'.length))
  }
  return parts.join('')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

function itemOf(item: string): FeedItem {
  const first = (name: string): string => textIn(elements(item, name)?.[0] ?? '')
  return {
    title: first('title'),
    link: first('link'),
    pubDate: first('pubDate'),
    description: first('description'),
    categories: (elements(item, 'category') ?? []).map((category) => textIn(category)),
  }
}

/** What stands in the elements of this name; undefined where one of them does not end. */
function elements(within: string, name: string): string[] | undefined {
  const [open, close] = [`<${name}>`, `</${name}>`]
  const found: string[] = []
  for (let at = within.indexOf(open); at >= 0;) {
    const end = within.indexOf(close, at)
    if (end < 0) return undefined
    found.push(within.slice(at + open.length, end))
    at = within.indexOf(open, end)
  }
  return found
}

function textIn(content: string): string {
  return content.trim().replaceAll(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|(amp|lt|gt|quot|apos));/gi, entity)
}

const named: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function entity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name !== undefined) return named[name.toLowerCase()] ?? whole
  const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal)
  return point > 0 && point <= 0x10ffff ? String.fromCodePoint(point) : whole
}
