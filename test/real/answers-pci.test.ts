/**
 * What Linux answers where drivers notice, through a device: the PCI core and the DMA API asked by a module of our own
 * (drivers-src/answers/pci). The other half of test/real/answers.test.ts.
 */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import type { DeviceContext, PciDevice } from '../../hw/types.ts'
import { perform } from '../../lab/commands.ts'
import type { Driver } from '../../machine/driver.ts'
import { createMachine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const [ADDRESS, FILL] = [0, 4]
const PAGE = 4096
const ROM_BYTES = 4096
/** What the image in the ROM says of its own length: in blocks of 512 bytes. */
const IMAGE_BYTES = 3 * 512

/** An expansion ROM with one image: PCI Firmware Specification 3.0, section 5.1. */
function rom(): Uint8Array {
  const bytes = Uint8Array.from({ length: ROM_BYTES }, (_, i) => (i * 13) & 0xff)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0xaa55, true)
  view.setUint16(0x18, 0x1c, true)
  bytes.set(new TextEncoder().encode('PCIR'), 0x1c)
  view.setUint16(0x1c + 0x0a, 0x1c, true)
  view.setUint16(0x1c + 0x10, IMAGE_BYTES / 512, true)
  view.setUint8(0x1c + 0x15, 0x80)
  return bytes
}

/** Fills memory with the sum of each byte's number's two bytes: address, then length. */
class FillDevice implements PciDevice {
  readonly model = 'answers'
  readonly identity
  readonly bars = [{ index: 0, kind: 'mem32', bytes: PAGE }] as const
  readonly capabilities = { msix: { vectors: 4, tableBar: 0, tableOffset: 0x800, pbaOffset: 0xc00 } } as const
  readonly rom = rom()
  readonly #context: DeviceContext
  #address = 0

  constructor(context: DeviceContext, ids: { vendor: number; device: number; revision: number }) {
    this.#context = context
    this.identity = { ...ids, subsystemVendor: 0, subsystemDevice: 0, classCode: 0xff0000, interruptPin: 1 }
  }

  read(): number {
    return 0
  }

  write(_bar: number, offset: number, _width: number, value: number): void {
    if (offset === ADDRESS) this.#address = value
    if (offset !== FILL) return
    const bytes = Uint8Array.from({ length: value }, (_, i) => (i + (i >> 8)) & 0xff)
    this.#context.dma.write(this.#address, bytes, 0, value)
  }

  reset(): void {
    this.#address = 0
  }
}

const PLAIN = { vendor: 0x1af4, device: 0x10fd, revision: 0 }
const workspace = await openTestWorkspace()
const { modules } = await buildModules({ ...workspace, selectors: [join(packageRoot, 'drivers-src/answers/pci')] })
const [module] = modules
if (module?.package === undefined) throw new Error(`${module?.reason} ${module?.detail}`)
const pack = await readPackage(module.package, module.name)

async function said(driver: Driver, ...names: string[]): Promise<string[]> {
  const texts = []
  for (const name of names)
    texts.push((await perform(driver, `cat /sys/module/answers_pci/parameters/${name}`)).output.trim())
  return texts
}

async function ask(ids = PLAIN) {
  const machine = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
  const fn = machine.board.pci.plug((context) => new FillDevice(context, ids))
  const driver = await machine.load(pack)
  const code = await driver.bind(fn)
  return { machine, fn, driver, code }
}

test('coherent memory is aligned to its order, in memory and on the bus; alloc_pages_exact memory is mapped, vmalloc’s is not', async (t) => {
  const { driver, machine, fn, code } = await ask()
  t.is(code, 0)
  t.deepEqual(await said(driver, 'coherent_had', 'coherent_misplaced', 'coherent_misplaced_at_device'), ['7', '0', '0'])
  t.deepEqual(await said(driver, 'exact_filled', 'vmalloc_mapped'), [String(3 * PAGE), '-12'])
  t.is(fn.dma.windows, 0)
  t.deepEqual(machine.faults, [])
})

test('the expansion ROM is read, as long as its images are', async (t) => {
  const { driver, fn } = await ask()
  const sum = rom()
    .subarray(0, IMAGE_BYTES)
    .reduce((all, byte) => all + byte, 0)
  t.deepEqual(await said(driver, 'rom_bytes', 'rom_sum'), [String(IMAGE_BYTES), String(sum)])
  t.false(fn.romOn, 'it is switched off again')
})

test('quirks of the tree’s run for the devices that they are for', async (t) => {
  const quirks = async (ids: typeof PLAIN) => said((await ask(ids)).driver, 'no_bus_reset', 'broken_intx_masking')
  t.deepEqual(await quirks(PLAIN), ['N', 'N'])
  t.deepEqual(await quirks({ vendor: 0x168c, device: 0x0030, revision: 0 }), ['Y', 'N'])
  t.deepEqual(await quirks({ vendor: 0x10ec, device: 0x8169, revision: 0 }), ['N', 'Y'])
})

test('sets of vectors: on one processor Linux gives the vectors and asks for no sets', async (t) => {
  const { driver, machine } = await ask()
  t.deepEqual(await said(driver, 'set_vectors', 'sets_asked'), ['4', '0'])
  t.is(machine.board.interrupts.allocated, 0)
})

test('a function whose probe is deferred is asked again when another has been bound', async (t) => {
  const machine = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
  const plug = (revision: number) =>
    machine.board.pci.plug((context) => new FillDevice(context, { ...PLAIN, revision }))
  const waits = plug(1)
  const other = plug(2)
  const driver = await machine.load(pack, ['answers_pci.waiting_revision=1'])
  await machine.match()
  t.true(driver.drives(other))
  t.true(driver.drives(waits))
  const [bound, deferred] = await said(driver, 'bound', 'deferred')
  t.deepEqual([bound, deferred], ['2', '1'])
  t.deepEqual(machine.faults, [])
})

test.after.always(() => workspace.close())
