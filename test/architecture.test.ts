import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Where a path leaves src: package.json, say. */
const outside = 'outside src'

/** Which folders of src each folder may import from, besides itself. A new folder needs a row here. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  dialects: ['core'],
  vendors: ['core', 'dialects'],
  gateway: ['core'],
  control: ['core'],
  journal: ['core'],
  client: ['core', 'dialects'],
  sandbox: ['core', 'dialects'],
  cli: ['core', 'dialects', 'vendors', 'gateway', 'control', 'journal', 'client', 'sandbox', outside],
}

/** What a folder must not import at run time from outside the project: pure folders do no input or output. */
const io = /^(node:(child_process|dgram|dns|fs|http|https|http2|net|sqlite|tls|worker_threads)(\/|$)|undici$)/
const mustNotImport: Readonly<Record<string, RegExp>> = {
  core: io,
  dialects: io,
  vendors: io,
  gateway: /^node:sqlite$/,
}

interface Source {
  /** From src on, with slashes: `src/core/call.ts`. */
  path: string
  text: string
}

interface Import {
  from: string
  line: number
  specifier: string
  /** `import type`: nothing is loaded for it when the program runs. */
  erased: boolean
}

test('the sources keep to the dependency rule', () => {
  const broken = broke(projectSources())
  assert.equal(broken.length, 0, `\n${broken.join('\n')}\n`)
})

const rule: { name: string; files: Record<string, string>; says: RegExp | undefined }[] = [
  {
    name: 'a folder may import itself and what its row names',
    files: { 'src/gateway/a.ts': "import { b } from './b.ts'\nimport { c } from '../core/c.ts'\n" },
    says: undefined,
  },
  {
    name: 'the gateway does not import the control plane, not even its types',
    files: { 'src/gateway/a.ts': "\nimport type { Store } from '../control/store.ts'\n" },
    says: /^src\/gateway\/a\.ts:2: gateway must not import from control/,
  },
  {
    name: 'an import over several lines is found where its path stands',
    files: { 'src/core/a.ts': "import {\n  b,\n  type C,\n} from '../dialects/b.ts'\n" },
    says: /^src\/core\/a\.ts:4: core must not import from dialects/,
  },
  {
    name: 'a re-export and a dynamic import count',
    files: { 'src/control/a.ts': "export * from '../gateway/b.ts'\n" },
    says: /^src\/control\/a\.ts:1: control must not import from gateway/,
  },
  {
    name: 'a dynamic import counts',
    files: { 'src/control/a.ts': "const b = await import('../gateway/b.ts')\n" },
    says: /^src\/control\/a\.ts:1: control must not import from gateway/,
  },
  {
    name: 'one dialect does not import another',
    files: { 'src/dialects/gemini/a.ts': "import { b } from '../anthropic/b.ts'\n" },
    says: /^src\/dialects\/gemini\/a\.ts:1: gemini must not import from anthropic/,
  },
  {
    name: 'a dialect may import what the dialects share',
    files: { 'src/dialects/gemini/a.ts': "import { b } from '../shared.ts'\n" },
    says: undefined,
  },
  {
    name: 'the gateway does not import a database',
    files: { 'src/gateway/a.ts': "import { DatabaseSync } from 'node:sqlite'\n" },
    says: /^src\/gateway\/a\.ts:1: gateway must not import node:sqlite/,
  },
  {
    name: 'a dialect does no input or output, but may use the types of it',
    files: {
      'src/dialects/gemini/a.ts':
        "import type { IncomingHttpHeaders } from 'node:http'\nimport { get } from 'node:http'\n",
    },
    says: /^src\/dialects\/gemini\/a\.ts:2: dialects must not import node:http/,
  },
  {
    name: 'only the composition root looks outside of src',
    files: {
      'src/cli/a.ts': "import about from '../../package.json' with { type: 'json' }\n",
      'src/core/a.ts': "import about from '../../package.json' with { type: 'json' }\n",
    },
    says: /^src\/core\/a\.ts:1: core must not import from outside src/,
  },
  {
    name: 'a folder without a row is not overlooked',
    files: { 'src/plugins/a.ts': '' },
    says: /^src\/plugins\/a\.ts:1: plugins has no row/,
  },
  {
    name: 'files that import each other are found',
    files: {
      'src/core/a.ts': "import { b } from './b.ts'\n",
      'src/core/b.ts': "\nimport { c } from './c.ts'\n",
      'src/core/c.ts': "import { a } from './a.ts'\n",
    },
    says: /cycle: src\/core\/a\.ts:1 -> src\/core\/b\.ts:2 -> src\/core\/c\.ts:1 -> src\/core\/a\.ts$/,
  },
  {
    name: 'types may refer to each other across files',
    files: {
      'src/core/a.ts': "import type { B } from './b.ts'\n",
      'src/core/b.ts': "import type { A } from './a.ts'\n",
    },
    says: undefined,
  },
]

for (const { name, files, says } of rule) {
  test(name, () => {
    const broken = broke(Object.entries(files).map(([path, text]) => ({ path, text })))
    if (says === undefined) assert.deepEqual(broken, [])
    else {
      assert.equal(broken.length, 1, broken.join('\n'))
      assert.match(broken[0] ?? '', says)
    }
  })
}

/** All that breaks the rule, a line each, beginning with file and line. */
function broke(sources: readonly Source[]): string[] {
  const imports = sources.flatMap(importsOf)
  const folders = sources.filter(({ path }) => mayImport[folderOf(path)] === undefined)
  return [
    ...folders.map(
      ({ path }) => `${path}:1: ${folderOf(path)} has no row in the dependency rule; add one with its reason`,
    ),
    ...imports.flatMap((one) => wrong(one) ?? []),
    ...cycles(sources, imports),
  ]
}

function wrong({ from, line, specifier, erased }: Import): string | undefined {
  const folder = folderOf(from)
  if (!specifier.startsWith('.')) {
    const never = !erased && mustNotImport[folder]?.test(specifier)
    return never ? `${from}:${line}: ${folder} must not import ${specifier}` : undefined
  }
  const to = resolve(from, specifier)
  const target = folderOf(to)
  if (target !== folder) {
    const may = mayImport[folder] ?? []
    if (may.includes(target)) return undefined
    const those = may.length === 0 ? 'nothing else of the project' : `${may.join(', ')} only`
    return `${from}:${line}: ${folder} must not import from ${target} (${specifier}); it may import ${those}`
  }
  const [one, other] = [dialectOf(from), dialectOf(to)]
  if (one === undefined || other === undefined || one === other) return undefined
  return `${from}:${line}: ${one} must not import from ${other}; what dialects share is a file in src/dialects`
}

/** Each ring of files that load each other, once, from its first file in the alphabet. */
function cycles(sources: readonly Source[], imports: readonly Import[]): string[] {
  const edges = Map.groupBy(
    imports.filter(({ erased, specifier }) => !erased && specifier.startsWith('.')),
    ({ from }) => from,
  )
  const done = new Set<string>()
  const found: string[] = []
  const visit = (path: string, trail: readonly Import[]): void => {
    const start = trail.findIndex(({ from }) => from === path)
    if (start !== -1) {
      const ring = trail.slice(start).map(({ from, line }) => `${from}:${line}`)
      found.push(`cycle: ${ring.join(' -> ')} -> ${path}`)
      return
    }
    if (done.has(path)) return
    for (const edge of edges.get(path) ?? []) visit(resolve(path, edge.specifier), [...trail, edge])
    done.add(path)
  }
  for (const { path } of sources.toSorted((a, b) => (a.path < b.path ? -1 : 1))) visit(path, [])
  return found
}

/** `import … from`, `export … from` and bare imports stand at the beginning of a line; `import()` anywhere. */
const statement =
  /^(?:import|export)(\s+type)?\s[\w\s{},*$]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm

function importsOf({ path, text }: Source): Import[] {
  return [...text.matchAll(statement)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? ''
    const at = match.index + match[0].lastIndexOf(specifier)
    return { from: path, line: text.slice(0, at).split('\n').length, specifier, erased: match[1] !== undefined }
  })
}

function resolve(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier)
}

/** `src/gateway/limits/rate.ts` stands in `gateway`. */
function folderOf(path: string): string {
  const [root, folder] = path.split('/')
  return root === 'src' && folder !== undefined ? folder : outside
}

/** The dialect whose own folder the file stands in; undefined for what they share, and elsewhere. */
function dialectOf(path: string): string | undefined {
  const [, folder, dialect, file] = path.split('/')
  return folder === 'dialects' && file !== undefined ? dialect : undefined
}

/** Every source file but the tests beside them, which may use whatever they need. */
function projectSources(): Source[] {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .map((path) => posix.join('src', path.replaceAll('\\', '/')))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
  assert.ok(paths.length > 0, 'no sources were found')
  return paths.map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
}
