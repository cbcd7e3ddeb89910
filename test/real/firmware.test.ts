/**
 * Firmware: files that the machine was given, found by the tree's own loader. test_firmware is the tree's own module for
 * it: what is asked for by name through sysfs is read back through a device.
 */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import { openTestWorkspace } from './workspace.ts'

const DRIVER = 'test_firmware'
const CONTROLS = '/sys/devices/virtual/misc/test_firmware'
let workspace: Workspace
let pack: DriverPackage

test.before(async () => {
  workspace = await openTestWorkspace()
  const { modules } = await buildModules({ ...workspace, selectors: [DRIVER] })
  pack = await readPackage(modules[0]!.package!, DRIVER)
})
test.after.always(() => workspace.close())

const long = Uint8Array.from({ length: 300_001 }, (_, i) => (i * 31) >> 3)
const firmware = { 'short.bin': new TextEncoder().encode('hello'), 'acme/model-1/long.bin': long }

const machineWith = (files: Readonly<Record<string, Uint8Array>>): Machine =>
  createMachine({ verify: verifyPackage, symbolizer: symbolizerOf, firmware: files })

test.serial('the tree’s loader finds files by name, in folders too, and their whole content', async (t) => {
  t.true(pack.manifest.capabilities.includes('wasi'))
  const machine = machineWith(firmware)
  const { system } = await machine.load(pack)
  const device = await system!.node(CONTROLS)
  for (const [name, content] of Object.entries(firmware)) {
    await system!.writeFile(`${CONTROLS}/trigger_request`, new TextEncoder().encode(name))
    t.is(Buffer.compare(await system!.readFile(device), content), 0, name)
  }
  const missing = system!.writeFile(`${CONTROLS}/trigger_request`, new TextEncoder().encode('acme/none.bin'))
  await t.throwsAsync(missing, { message: 'write: -ENOENT' })
  t.deepEqual(machine.faults, [])
})

test.serial('asked for without waiting, it comes by a work queue', async (t) => {
  const machine = machineWith(firmware)
  const { system } = await machine.load(pack)
  await system!.writeFile(`${CONTROLS}/trigger_async_request`, new TextEncoder().encode('short.bin'))
  t.is(new TextDecoder().decode(await system!.readFile(await system!.node(CONTROLS))), 'hello')
})

test.serial('a machine without any has none, and a file cannot be changed', async (t) => {
  const { system } = await machineWith({}).load(pack)
  const asked = system!.writeFile(`${CONTROLS}/trigger_request`, new TextEncoder().encode('short.bin'))
  await t.throwsAsync(asked, { message: 'write: -ENOENT' })
  const { system: full } = await machineWith(firmware).load(pack)
  await t.throwsAsync(full!.writeFile('/lib/firmware/short.bin', long), { message: /^write: -E/ })
  t.is((await full!.stat('/lib/firmware/acme/model-1/long.bin')).bytes, long.length)
})

test.serial('without the authority to read files, the first look at one ends the driver by name', async (t) => {
  const capabilities = pack.manifest.capabilities.filter((group) => group !== 'wasi')
  const machine = machineWith(firmware)
  const { system } = await machine.load({ ...pack, manifest: { ...pack.manifest, capabilities } })
  const asked = system!.writeFile(`${CONTROLS}/trigger_request`, new TextEncoder().encode('short.bin'))
  await t.throwsAsync(asked, { message: /no-capability: wasi\.fd_prestat_get: the domain was not granted wasi/ })
})
