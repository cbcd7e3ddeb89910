/** Which modules come along with one: whoever it stands on, and whoever is asked for by name, by it or by those. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import type { BuiltModule, Compiler } from '../../../pipeline/build/compiler.ts'
import type { KernelModule, KernelTree } from '../../../pipeline/build/kernel.ts'
import { closureOf } from '../../../pipeline/core/closure.ts'

interface Sketch {
  readonly exports?: readonly string[]
  readonly needs?: readonly string[]
  readonly asks?: readonly string[]
  readonly selects?: readonly string[]
}

/** A tree of modules without code, by name, and their compiler. */
async function sketch(modules: Readonly<Record<string, Sketch>>) {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-closure-'))
  const places = new Map<string, KernelModule>()
  const built = new Map<string, BuiltModule>()
  for (const [name, { exports = [], needs = [], asks = [] }] of Object.entries(modules)) {
    const object = path.join(dir, `${name}.o`)
    await fs.writeFile(object, ['\0asm', ...asks.map((symbol) => `symbol:${symbol}`), ''].join('\0'))
    const asking = asks.length > 0 ? ['__symbol_get'] : []
    const one = { origin: name, defines: exports, needs: [...needs, ...asking], object, sha256: '', inputs: [] }
    places.set(name, { name, path: `drivers/${name}.ko`, objects: [] })
    built.set(name, { module: places.get(name)!, objects: [one], inputs: [], diagnostics: [], ms: 0 })
  }
  const exported = Object.entries(modules).flatMap(([name, { exports = [] }]) =>
    exports.map(
      (symbol) => [symbol, { source: `${name}.c`, modules: [name], gplOnly: symbol.endsWith('_gpl') }] as const,
    ),
  )
  const selected = Object.entries(modules).map(
    ([name, { selects = [] }]) => [`drivers/${name}.ko`, selects.map((other) => `drivers/${other}.ko`)] as const,
  )
  const tree = {
    module: async (name: string) => places.get(name),
    exports: async () => new Map(exported),
    selected: async () => new Map(selected),
  } as unknown as KernelTree
  const compiler = { module: async ({ name }: KernelModule) => built.get(name) } as unknown as Compiler
  return (name: string) => closureOf(tree, compiler, core, built.get(name)!)
}

const symbols = { functions: new Map([['__symbol_get', {}]]), data: new Map() }
const core = { symbols, facts: { asks: {} } } as unknown as Parameters<typeof closureOf>[2]
const names = (modules: readonly BuiltModule[]): string[] => modules.map(({ module: { name } }) => name)

test('who is asked for by name stands ready, and whoever that one asks for', async (t) => {
  const closure = await sketch({
    card: { needs: ['bus_register'], asks: ['tuner_attach'], selects: ['demod'] },
    bus: { exports: ['bus_register'] },
    tuner: { exports: ['tuner_attach'], needs: ['regs_read'], asks: ['chip_attach_gpl', 'nobody_has_it'] },
    regs: { exports: ['regs_read'] },
    chip: { exports: ['chip_attach_gpl'], asks: ['tuner_attach'] },
    demod: { asks: ['amplifier_attach'] },
    amplifier: { exports: ['amplifier_attach'] },
  })
  const { modules, onCall, offered } = await closure('card')
  t.deepEqual(names(modules), ['bus', 'card'])
  t.deepEqual(names(onCall), ['demod', 'regs', 'tuner', 'amplifier', 'chip'])
  t.deepEqual(Object.fromEntries(offered), {
    tuner: [{ symbol: 'tuner_attach', gplOnly: false }],
    amplifier: [{ symbol: 'amplifier_attach', gplOnly: false }],
    chip: [{ symbol: 'chip_attach_gpl', gplOnly: true }],
  })
})
