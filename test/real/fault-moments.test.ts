/**
 * Every sample driver of drivers-src/faults, built and run: its mistake is caught, named, and found in its C source, and
 * the machine goes on.
 *
 * A sample marks its mistake with `FAULT HERE: KIND`; the parameter `when` says at which moment it makes it.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import test from 'ava'
import type { DriverFault } from '../../kernel/fault.ts'
import { DEFAULT_RESTARTS } from '../../kernel/supervisor.ts'
import { symbolizerOf } from '../../cli/machine.ts'
import { modelsFor } from '../../hw/machine/devices.ts'
import { Lan } from '../../hw/machine/lan.ts'
import { createMachine } from '../../hw/machine/machine.ts'
import { open } from '../../hw/machine/net-control.ts'
import { readPackage, type DriverPackage } from '../../hw/machine/package.ts'
import { startTraffic } from '../../hw/machine/traffic.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openNamed } from '../../pipeline/toolchain/index.ts'
import { testTree } from './tree.ts'

const FOLDER = path.join(packageRoot, 'drivers-src/faults')

interface Sample {
  readonly name: string
  readonly kind: string
  readonly line: number
}

async function readSample(file: string): Promise<Sample> {
  const lines = (await fs.readFile(path.join(FOLDER, file), 'utf8')).split('\n')
  const at = lines.findIndex((line) => line.includes('FAULT HERE'))
  const kind = /FAULT HERE: ([\w-]+)/.exec(lines[at] ?? '')?.[1]
  if (kind === undefined) throw new Error(`${file} does not say what goes wrong`)
  return { name: file.replace(/\.c$/, ''), kind, line: at + 1 }
}

const tree = await testTree()
const real = tree === undefined ? test.serial.skip : test.serial
const samples = await Promise.all(
  (await fs.readdir(FOLDER))
    .filter((file) => file.endsWith('.c'))
    .toSorted()
    .map(readSample),
)
const packages = new Map<string, DriverPackage>()

test.before(async (t) => {
  if (tree === undefined) return
  t.timeout(300_000)
  const document = await buildModules({ tree, selectors: [FOLDER], toolchain: await openNamed('clang') })
  for (const module of document.modules) {
    if (module.package === undefined) t.log(`${module.name}: ${module.reason} ${module.detail ?? ''}`)
    else packages.set(module.name, await readPackage(module.package, module.name))
  }
})

/** Boot a machine with one sample on its device, its mistake due at `when`, and let it happen. */
async function run(sample: Sample, when: string): Promise<readonly DriverFault[]> {
  const pack = packages.get(sample.name)
  if (pack === undefined) throw new Error(`${sample.name} was not built`)
  const machine = createMachine({
    restarts: { ...DEFAULT_RESTARTS, limit: 0 },
    symbolizer: symbolizerOf,
  })
  const lan = new Lan(machine)
  const nic = lan.plug(modelsFor(pack.manifest)[0]!)
  const peer = lan.station('peer')
  try {
    const driver = await machine.load(pack, [`${sample.name}.when=${when}`])
    await driver.bind(nic.fn)
    if (when === 'xmit') {
      const net = driver.interfaces[0]!
      await open(net)
      startTraffic(machine.board.kernel, net, peer, 1, { frames: 1 })
    }
    await machine.run(() => machine.faults.length > 0, 1e9)
  } catch (error) {
    if (machine.faults.length === 0) throw error
  }
  // The machine is still there: time passes, and other domains can be made.
  await machine.sleep(1e6)
  return machine.faults
}

for (const sample of samples) {
  for (const when of sample.kind === 'hang' ? ['init', 'probe'] : ['init', 'probe', 'irq', 'timer', 'xmit']) {
    // A mapping, and so a device, is there from probe on.
    if (when === 'init' && ['mapping_dereference', 'dma_stray'].includes(sample.name)) continue
    real(`${sample.name} at ${when}: ${sample.kind}, by file and line`, async (t) => {
      const [fault] = await run(sample, when)
      t.is(String(fault?.kind), sample.kind, fault?.message)
      // Stray DMA is the device's doing: no C code is running when it is found.
      if (sample.kind === 'dma-stray') return
      const found = fault?.frames.some(({ file, line }) => file.endsWith(`${sample.name}.c`) && line === sample.line)
      t.true(found, JSON.stringify(fault?.frames.slice(0, 6)))
    })
  }
}
