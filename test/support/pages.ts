import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The text of a file, by its path from the root of the repository. */
export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** A block of code on a page. */
export interface Block {
  /** Where it stands: `docs/errors/429.md:40`. */
  name: string
  code: string
}

/** The blocks of one language on a page, each told by the line that it begins on. */
export function blocksIn(path: string, language: string): Block[] {
  const page = read(path)
  return [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)]
    .filter((match) => match[1] === language)
    .map((match) => ({
      name: `${path}:${page.slice(0, match.index).split('\n').length}`,
      code: match[2] ?? '',
    }))
}

/** What the SDKs raise for one status, by the cheat sheet. */
export interface Classes {
  status: number
  anthropicPython: string
  anthropicTypescript: string
  openaiPython: string
  openaiTypescript: string
}

/** The lines of the cheat sheet, one for each status that an answer can have. */
export function cheatSheet(): Classes[] {
  const lines = read('docs/errors/cheat-sheet.md').matchAll(/^\| \[(\d{3})\]\(\1\.md\) \|.*\|$/gm)
  return [...lines].map(([line, status]) => {
    const [anthropicPython, anthropicTypescript, openaiPython, openaiTypescript] = line
      .split(' | ')
      .slice(-4)
      .map((cell) => /`(\w+)`/.exec(cell)?.[1] ?? '')
    return {
      status: Number(status),
      anthropicPython: anthropicPython ?? '',
      anthropicTypescript: anthropicTypescript ?? '',
      openaiPython: openaiPython ?? '',
      openaiTypescript: openaiTypescript ?? '',
    }
  })
}
