/** A device class is known where it lives and where it is listed: the kernel and the machine name none (machine/class/device-class.ts). */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The one list of classes. */
const LIST = 'machine/class/index.ts'
const CLASSES = readdirSync(join(root, 'machine/class'), { withFileTypes: true })
  .filter((item) => item.isDirectory())
  .map(({ name }) => name)

/** Names that a class's own files export, and the class's: what nobody else may have in their mouth. */
function namesOf(name: string): RegExp {
  const folder = join(root, 'machine/class', name)
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'))
  const exported = texts.flatMap((text) =>
    [...text.matchAll(/^export (?:class|interface|type|const|(?:async )?function) ([A-Z]\w+)/gm)].map(
      ([, one]) => one!,
    ),
  )
  return new RegExp(`\\b(?:${[name, ...exported].join('|')})\\b`)
}

/** and words that they are known by; a class without any is known by its names. */
const WORDS: Readonly<Record<string, RegExp>> = {
  net: /\bNet[A-Z]\w*|\b\w*[Ee]thernet\w*|\bmac\b|\bmtu\b|\bcarrier\b|\bnics?\b/,
}

const NAMES = new Map(CLASSES.map((name) => [name, namesOf(name)]))

const files = ['kernel', 'machine'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `${folder}/${name}`),
)

/** Lines of a file that speak of a class it does not belong to. */
function strangers(path: string, text: string): string[] {
  if (path === LIST) return []
  return CLASSES.filter((name) => !path.startsWith(`machine/class/${name}/`)).flatMap((name) =>
    text
      .split('\n')
      .flatMap((line, i) =>
        NAMES.get(name)!.test(line) || WORDS[name]?.test(line) === true
          ? [`${path}:${i + 1} speaks of ${name}: ${line.trim()}`]
          : [],
      ),
  )
}

test('no file of the kernel or the machine speaks of a class that it does not belong to', (t) => {
  t.deepEqual(
    files.flatMap((path) => strangers(path, readFileSync(join(root, path), 'utf8'))),
    [],
  )
})

test('one that did would be found', (t) => {
  for (const line of [
    "import type { NetInterface } from './class/net/interface.ts'",
    'const mac = one.mac',
    'net: 1',
    'sink: FrameSink',
  ])
    t.is(strangers('machine/machine.ts', line).length, 1, line)
  t.deepEqual(strangers('machine/class/net/interface.ts', 'readonly mac: Uint8Array'), [])
})
