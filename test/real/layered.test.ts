/**
 * A layered stack of unmodified drivers: an SMBus adapter's driver in one domain, a sensor's in another, which reaches its
 * device through an endpoint.
 */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { RIGHT } from '../../kernel/capability.ts'
import { isClean, leftList } from '../../machine/driver.ts'
import { Worlds } from '../../lab/classes.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { parseDevice, plug } from '../../lab/stage.ts'
import type { Amd8111Smbus } from '../../hw/devices/amd-8111-smbus.ts'
import type { Lm75 } from '../../hw/devices/lm75.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { allowanceFor } from '../../pipeline/verify/index.ts'
import { openTestWorkspace } from './workspace.ts'

const ADAPTER = 'i2c-amd8111'
const SENSOR = 'lm75'
const INPUT = 'hwmon/hwmon0/temp1_input'

const workspace = await openTestWorkspace()
const packs = new Map<string, DriverPackage>()

test.before(async () => {
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: [ADAPTER, SENSOR],
    toolchain: workspace.toolchain,
  })
  for (const { name, package: directory } of modules) packs.set(name, await readPackage(directory!, name))
})

test.after.always(() => workspace.close())

interface Stack {
  readonly machine: Machine
  readonly sensor: Lm75
  readonly adapter: Amd8111Smbus
}

async function stack(...order: readonly string[]): Promise<Stack> {
  const layered = allowanceFor(['pci', 'layered'])
  const verify = (pack: DriverPackage): Promise<void> => verifyPackage(pack, layered)
  const machine = createMachine({ verify, symbolizer: symbolizerOf, layered: true })
  const fn = plug(parseDevice('amd-8111-smbus,lm75@0x48')!, machine, new Worlds(machine, {}))
  const adapter = fn.device as Amd8111Smbus
  for (const name of order) await machine.load(packs.get(name)!)
  await machine.sleep(0)
  return { machine, adapter, sensor: adapter.bus.targets.get(0x48) as Lm75 }
}

const read = (machine: Machine): Promise<string | number> => machine.driver(SENSOR)!.attribute(INPUT)

test.serial(
  'Windows NT: an unmodified sensor driver works on an adapter that is another domain, whoever comes first',
  async (t) => {
    for (const order of [
      [ADAPTER, SENSOR],
      [SENSOR, ADAPTER],
    ]) {
      const { machine, sensor } = await stack(...order)
      t.is(await read(machine), '25000\n')
      sensor.milliCelsius = -12_500
      await machine.sleep(2e9)
      t.is(await read(machine), '-12500\n')
      t.is(await machine.driver(SENSOR)!.attribute('hwmon/hwmon0/temp1_max', '61500'), '')
      t.is(await machine.driver(SENSOR)!.attribute('hwmon/hwmon0/temp1_max'), '61500\n')
      t.deepEqual(machine.faults, [])
      t.not(machine.driver(SENSOR)!.domain, machine.driver(ADAPTER)!.domain)
      for (const name of [SENSOR, ADAPTER]) {
        const left = await machine.unload(name)
        t.true(isClean(left), `${name}: ${leftList(left)}`)
      }
    }
  },
)

test.serial('what the sensor driver holds of the bus names its own device, and lets it do nothing else', async (t) => {
  const { machine } = await stack(ADAPTER, SENSOR)
  const driver = machine.driver(SENSOR)!
  t.deepEqual(driver.devices.size, 0, 'no PCI function')
  t.deepEqual(
    driver.domain.capabilities.ofType('endpoint').map(({ badge, rights }) => [badge & 0x7f, rights]),
    [[0x48, RIGHT.WRITE]],
  )
  t.false(driver.pack.manifest.imports.includes('pio.in8') && driver.domain.capabilities.ofType('port').length > 0)
})

test.serial(
  'the adapter fails in the midst of a transfer: the sensor sees an error, and works again afterwards',
  async (t) => {
    const { machine } = await stack(ADAPTER, SENSOR)
    const before = machine.driver(SENSOR)!
    machine.driver(ADAPTER)!.revokeRegisters()
    await machine.sleep(2e9)
    const during = await read(machine)
    t.true(typeof during === 'number' && during < 0, String(during))
    t.is(machine.faults[0]?.domain, ADAPTER)
    t.is(machine.faults[0]?.kind, 'no-capability')
    await machine.sleep(1e9)
    t.true(machine.recoveries[0]?.ok)
    t.is(machine.driver(SENSOR), before, 'the sensor driver itself was not restarted')
    t.is(before.domain.capabilities.ofType('endpoint').length, 1)
    const name = String(await before.attribute('hwmon')).trim()
    t.is(await before.attribute(`hwmon/${name}/temp1_input`), '25000\n')
    t.is(machine.faults.length, 1)
  },
)

test.serial('the adapter is pulled out: the sensor driver gives its device up, and both go on', async (t) => {
  const { machine } = await stack(ADAPTER, SENSOR)
  machine.board.pci.unplug(machine.board.pci.functions[0]!)
  await machine.sleep(1e9)
  t.deepEqual(machine.faults, [])
  t.is(await read(machine), -2)
  t.deepEqual([...machine.board.tree.registry.nodes()].slice(2), [])
  for (const name of [SENSOR, ADAPTER]) {
    const left = await machine.unload(name)
    t.true(isClean(left), `${name}: ${leftList(left)}`)
  }
})
