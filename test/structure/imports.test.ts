/** The direction of knowledge between the top-level folders (ARCHITECTURE.md, "Who may know whom"), held on the real imports. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Layer of a file. */
const layers = ['lab', 'machine', 'hw', 'kernel', 'base', 'pipeline', 'linux-api', 'cli', 'bench', 'test'] as const
type Layer = (typeof layers)[number]

/** What each layer may import: a layer's name, or a single file. `types:` allows only `import type`. */
const allowed: Record<Layer, readonly string[]> = {
  cli: ['cli', 'pipeline', 'lab', 'machine', 'types:kernel', 'types:hw', 'types:linux-api'],
  pipeline: ['pipeline', 'linux-api'],
  'linux-api': ['linux-api'],
  lab: [
    'lab',
    'machine',
    'hw',
    'kernel',
    'base',
    'base',
    'linux-api/generated/abi.ts',
    'pipeline/package.ts',
    'pipeline/ladder.ts',
  ],
  machine: ['machine', 'hw', 'kernel', 'base', 'linux-api/generated/abi.ts', 'pipeline/package.ts'],
  // Neither knows the other: what they share is below both.
  hw: ['hw', 'base'],
  kernel: ['kernel', 'base'],
  base: ['base'],
  // The assembler of its hand-made programs.
  bench: ['bench', 'test/kernel/support.ts', 'cli', 'pipeline', 'lab', 'machine', 'hw', 'kernel', 'base', 'linux-api'],
  test: ['test', 'bench', 'cli', 'pipeline', 'lab', 'machine', 'hw', 'kernel', 'base', 'linux-api'],
}

const layerOf = (path: string): Layer | undefined => layers.find((layer) => path.startsWith(`${layer}/`))

function* sources(folder: string): Generator<string> {
  for (const item of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = `${folder}/${item.name}`
    if (item.isDirectory()) yield* sources(path)
    else if (path.endsWith('.ts')) yield path
  }
}

/** Relative imports of a file: target from the root, and whether only types cross. */
function* imports(path: string, text: string): Generator<{ target: string; typesOnly: boolean }> {
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?[^'"]*?from\s+['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/gm,
  )) {
    const to = match[2] ?? match[3]!
    yield { target: relative(root, join(root, dirname(path), to)), typesOnly: match[1] !== undefined }
  }
}

const permits = (rule: string, target: string, typesOnly: boolean): boolean => {
  const wanted = rule.replace(/^types:/, '')
  if (rule.startsWith('types:') && !typesOnly) return false
  return target === wanted || layerOf(target) === wanted
}

function violations(path: string, text: string): string[] {
  const layer = layerOf(path)
  if (layer === undefined) return [`${path}: in no known layer`]
  return [...imports(path, text)]
    .filter(({ target, typesOnly }) => !allowed[layer].some((rule) => permits(rule, target, typesOnly)))
    .map(({ target }) => `${path} (${layer}) may not import ${target}`)
}

test('every import follows the direction of knowledge', (t) => {
  const found = ['cli', 'pipeline', 'linux-api', 'base', 'hw', 'kernel', 'machine', 'lab', 'bench', 'test']
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => [...sources(folder)])
    .flatMap((path) => violations(path, readFileSync(join(root, path), 'utf8')))
  t.deepEqual(found, [])
})

test('who runs on the processor knows its part of it, and no kernel', (t) => {
  const unknown: Readonly<Record<string, readonly string[]>> = {
    'kernel/fiber.ts': ['kernel/kernel.ts', 'kernel/domain.ts'],
    'kernel/meter.ts': ['kernel/kernel.ts', 'kernel/domain.ts'],
    'kernel/delivery.ts': ['kernel/kernel.ts', 'kernel/domain.ts'],
    'kernel/domain.ts': ['kernel/kernel.ts'],
  }
  for (const [path, others] of Object.entries(unknown)) {
    const known = [...imports(path, readFileSync(join(root, path), 'utf8'))].map(({ target }) => target)
    t.true(known.includes('kernel/processor.ts'), path)
    for (const other of others) t.false(known.includes(other), `${path} imports ${other}`)
  }
})

test('an import against the direction is caught', (t) => {
  t.deepEqual(violations('kernel/x.ts', "import { a } from '../pipeline/y.ts'\n"), [
    'kernel/x.ts (kernel) may not import pipeline/y.ts',
  ])
  t.is(violations('kernel/x.ts', "import type { A } from '../hw/types.ts'\n").length, 1)
  t.is(violations('hw/x.ts', "import type { A } from '../kernel/time.ts'\n").length, 1)
  t.is(violations('machine/x.ts', "import type { A } from '../lab/run.ts'\n").length, 1)
  t.is(violations('lab/x.ts', "import type { A } from '../cli/model.ts'\n").length, 1)
  t.deepEqual(violations('hw/x.ts', "import { a } from '../base/random.ts'\n"), [])
})

test('what only types may cross, values may not', (t) => {
  t.is(violations('cli/x.ts', "import { type A,\n b } from '../hw/types.ts'\n").length, 1)
  t.deepEqual(violations('cli/x.ts', "import type { A } from '../hw/types.ts'\n"), [])
})
