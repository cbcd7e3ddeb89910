/**
 * The shim's core, asked by a driver written for it (drivers-src/selftest): every check in it logs `ok`, and after its
 * exit nothing is left.
 */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { createMachine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const CHECKS = ['memory', 'zeros', 'threads', 'locks', 'timers', 'works', 'deferred', 'library', 'devices', 'files']

test.serial('memory, threads, locks, time, work and devices behave as drivers expect', async (t) => {
  const { tree, toolchain } = await openTestWorkspace()
  const built = await buildModules({ tree, selectors: [join(packageRoot, 'drivers-src/selftest')], toolchain })
  const [module] = built.modules
  t.truthy(module?.package, JSON.stringify(module, null, 1))
  const machine = createMachine({
    verify: verifyPackage,
    symbolizer: symbolizerOf,
    firmware: { 'selftest.bin': new TextEncoder().encode('hello') },
  })
  const pack = await readPackage(module!.package!, 'shim_core')
  await machine.load(pack, ['shim_core.number=42', 'shim_core.text=given'])
  const said = machine.board.log.filter(({ domain }) => domain === 'shim_core').map(({ text }) => text.trim())
  const expected = [...CHECKS.map((name) => `shim_core: ok ${name}`), 'shim_core: parameters 42 given']
  t.deepEqual(machine.faults, [])
  t.deepEqual(
    said
      .filter((text) => /\b(ok|FAILED|parameters)\b/.test(text))
      .map((text) => text.replace(/^(?!shim_core: )/, 'shim_core: ')),
    expected,
    said.join('\n'),
  )
  const left = await machine.unload('shim_core')
  t.deepEqual(
    Object.entries(left.census ?? {}).filter(([name, n]) => n !== 0 && name !== 'reserved_pages'),
    [],
  )
})
