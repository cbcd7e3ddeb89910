/**
 * Interrupt vectors through the tree's own irq core: a real module (drivers-src/interrupts) on a device that has a pin, MSI
 * and MSI-X, as the drivers of e1000e, igb or nvme ask for them.
 */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import type { DeviceContext, PciDevice } from '../../hw/types.ts'
import { perform } from '../../lab/commands.ts'
import { createMachine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const VECTORS = 8
const [SEND, ACKNOWLEDGE] = [0, 4]

/** Sends message N, or raises its pin, when N is written to its first register. */
class VectorDevice implements PciDevice {
  readonly model = 'vectors'
  readonly identity = {
    vendor: 0x1af4,
    device: 0x10fe,
    subsystemVendor: 0,
    subsystemDevice: 0,
    classCode: 0xff0000,
    revision: 0,
    interruptPin: 1,
  }
  readonly bars = [{ index: 0, kind: 'mem32', bytes: 4096 }] as const
  readonly capabilities = {
    msi: { vectors: VECTORS, address64: true },
    msix: { vectors: VECTORS, tableBar: 0, tableOffset: 0x800, pbaOffset: 0xc00 },
  } as const
  readonly #context: DeviceContext

  constructor(context: DeviceContext) {
    this.#context = context
  }

  read(): number {
    return 0
  }

  write(_bar: number, offset: number, _width: number, value: number): void {
    const { interrupts } = this.#context
    if (offset === ACKNOWLEDGE) interrupts.setLevel(false)
    else if (offset === SEND && interrupts.messageSignalled) interrupts.message(value)
    else if (offset === SEND) interrupts.setLevel(true)
  }

  reset(): void {
    this.#context.interrupts.setLevel(false)
  }
}

const workspace = await openTestWorkspace()
const { modules } = await buildModules({ ...workspace, selectors: [join(packageRoot, 'drivers-src/interrupts')] })
const [module] = modules
if (module?.package === undefined) throw new Error(`${module?.reason} ${module?.detail}`)
const pack = await readPackage(module.package, module.name)

/** What the driver says of its vectors, and what is left when it has gone. */
async function ask(...args: string[]) {
  const machine = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
  const fn = machine.board.pci.plug((context) => new VectorDevice(context))
  const driver = await machine.load(
    pack,
    args.map((arg) => `vectors.${arg}`),
  )
  await driver.bind(fn)
  const say = async (name: string): Promise<string> =>
    (await perform(driver, `cat /sys/module/vectors/parameters/${name}`)).output.trim()
  const [had, counts, disabled, enabled] = [
    await say('had'),
    await say('counts'),
    await say('disabled'),
    await say('enabled'),
  ]
  const { vectorCount } = fn
  const interrupts = (await perform(driver, 'cat /proc/interrupts')).output
  const left = await machine.unload('vectors')
  return { had, counts, disabled, enabled, vectorCount, interrupts, left, machine }
}

for (const [kind, wanted, had] of [
  ['msix', VECTORS, VECTORS],
  ['msix', 3, 3],
  ['msi', VECTORS, VECTORS],
  ['msi', 1, 1],
  ['intx', VECTORS, 1],
] as const)
  test(`${kind}, ${wanted} asked for: each of ${had} comes where it belongs, and none is lost while it is disabled`, async (t) => {
    const said = await ask(`kind=${kind}`, `wanted=${wanted}`)
    t.is(said.had, String(had))
    // Each was sent three times: twice in a round, and once while it was disabled.
    t.is(said.counts, Array.from({ length: VECTORS }, (_, i) => (i < had ? '3' : '0')).join(','))
    t.deepEqual([said.disabled, said.enabled], ['0', '1'])
    t.is(said.vectorCount, kind === 'intx' ? 0 : had)
    t.regex(said.interrupts, kind === 'intx' ? /drvport +\d+ +vectors/ : /drvport-msi +\d+ +vectors/)
    t.deepEqual([said.left.vectors, said.left.interrupts], [0, 0])
    t.is(said.machine.board.interrupts.allocated, 0)
    t.is(said.machine.board.interrupts.attachments, 0)
    t.deepEqual(said.machine.faults, [])
  })

test('MSI-X with holes: entries 1, 3 and 5 of the table', async (t) => {
  const said = await ask('sparse=1', 'wanted=3')
  t.is(said.had, '3')
  t.is(said.counts, '0,3,0,3,0,3,0,0')
  t.deepEqual(said.machine.faults, [])
})

test.after.always(() => workspace.close())
