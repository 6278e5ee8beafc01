import { globSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Marked } from 'marked'

const folder = fileURLToPath(new URL('../../docs/errors', import.meta.url))

/**
 * The pages on errors, by name: '' for the overview, `429`, `cheat-sheet`. Made once, at the start, from the same files that
 * are read on disk, so that the link in an error leads somewhere without a network.
 */
export function errorPages(): ReadonlyMap<string, string> {
  const pages = new Map<string, string>()
  for (const file of globSync('*.md', { cwd: folder })) {
    const name = file === overview ? '' : basename(file, '.md')
    pages.set(name, page(name, readFileSync(`${folder}/${file}`, 'utf8')))
  }
  return pages
}

const overview = 'README.md'

/** The overview stands at /errors, all others below it, wherever the gateway is mounted: so links are relative. */
function linkFrom(name: string, to: string): string {
  if (to === '') return name === '' ? 'errors' : '../errors'
  return name === '' ? `errors/${to}` : to
}

function page(name: string, markdown: string): string {
  const title = /^# (.*)$/m.exec(markdown)?.[1] ?? 'Errors'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.replaceAll(/[<>&]/g, '')} · Keyrung</title>
<style>${style}</style>
</head>
<body>
<nav><a href="${linkFrom(name, '')}">Errors</a> · <a href="${linkFrom(name, 'cheat-sheet')}">Cheat sheet</a></nav>
${readerFor(name).parse(markdown, { async: false })}</body>
</html>
`
}

/** Links between the pages are those of the gateway; links to the rest of the docs, which it does not serve, become text. */
function readerFor(name: string): Marked {
  return new Marked({
    renderer: {
      link({ href, tokens }) {
        const text = this.parser.parseInline(tokens)
        if (/^(https?:|#)/.test(href)) return `<a href="${href}">${text}</a>`
        const [, to, place = ''] = /^([\w-]+)\.md(#.*)?$/.exec(href) ?? []
        if (to === undefined) return text
        return `<a href="${linkFrom(name, `${to}.md` === overview ? '' : to)}${place}">${text}</a>`
      },
      heading({ tokens, depth }) {
        const text = this.parser.parseInline(tokens)
        const id = text
          .toLowerCase()
          .replaceAll(/<[^>]*>|[^\w\s-]/g, '')
          .trim()
          .replaceAll(/\s/g, '-')
        return `<h${depth} id="${id}">${text}</h${depth}>\n`
      },
    },
  })
}

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2, h3 { line-height: 1.25 }
code, pre { font: 0.9em/1.5 ui-monospace, monospace; background: color-mix(in srgb, currentColor 8%, transparent); border-radius: 4px }
code { padding: 0.1em 0.3em }
pre { padding: 0.8rem 1rem; overflow-x: auto }
pre code { background: none; padding: 0 }
table { border-collapse: collapse; display: block; overflow-x: auto }
th, td { border: 1px solid var(--line); padding: 0.35rem 0.6rem; text-align: left; vertical-align: top }
nav { border-bottom: 1px solid var(--line); padding-bottom: 0.5rem }
`
