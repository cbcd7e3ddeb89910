/** A driver that looks for its chip at the ports of a board's legacy bus (super-I/O), where there is none. */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { parsePolicies } from '../../cli/policies.ts'
import { ascend } from '../../lab/ascent.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import type { Workspace } from '../../pipeline/workspace.ts'
import { openTestWorkspace } from './workspace.ts'

const DRIVER = 'w83627ehf'
/** For cards of three buses, of which PCI is one: it looks for ISA's where they would be. */
const OF_MANY_BUSES = 'advansys'
/** Its host has no operations when libata asks where a table of them ends (linux-api/null-checks.list). */
const WITHOUT_A_TABLE = 'pata_legacy'
let workspace: Workspace
let pack: DriverPackage
let ofMany: DriverPackage
let withoutTable: DriverPackage

test.before(async () => {
  workspace = await openTestWorkspace()
  const { modules } = await buildModules({ ...workspace, selectors: [DRIVER, OF_MANY_BUSES, WITHOUT_A_TABLE] })
  const packageOf = (name: string) => readPackage(modules.find((one) => one.name === name)!.package!, name)
  pack = await packageOf(DRIVER)
  ofMany = await packageOf(OF_MANY_BUSES)
  withoutTable = await packageOf(WITHOUT_A_TABLE)
})
test.after.always(() => workspace.close())

const options = { verify: verifyPackage, symbolizer: symbolizerOf }
const machine = (...policy: readonly string[]): Machine =>
  createMachine({ ...options, policies: parsePolicies(policy) })

test.serial('where policy has no such bus, its first access ends it by name', async (t) => {
  t.true(pack.manifest.capabilities.includes('pio'))
  await t.throwsAsync(machine().load(pack), { message: /no-capability: pio\.\w+ of port 0x2e/ })
})

test.serial('where it has, the bus reads as ones, and init answers as on a board without the chip', async (t) => {
  const board = machine('*.ports=legacy')
  await t.throwsAsync(board.load(pack), { message: /init failed with -19/ })
  t.deepEqual(board.faults, [])
  await t.throwsAsync(machine('*.ports=legacy', `${DRIVER}.ports=none`).load(pack), { message: /no-capability/ })
})

const climb = (of: DriverPackage) => ascend(of, { until: 'init', seed: 1, symbolizer: symbolizerOf, wallMs: () => 0 })

test.serial('the lab has such a bus for drivers whose device is not modelled', async (t) => {
  const { rung, reason, detail } = await climb(pack)
  t.deepEqual([rung, reason], ['load', 'no-hardware'])
  t.regex(detail, /returned -ENODEV/)
  t.like(await climb(ofMany), { rung: 'init', reason: '' })
  // It is opened another way where it is to operate.
  const ascent = await ascend(ofMany, {
    until: 'operate',
    beside: [],
    seed: 1,
    symbolizer: symbolizerOf,
    wallMs: () => 0,
  })
  t.like(ascent, { rung: 'init', reason: 'no-device-model' })
  t.like(await climb(withoutTable), { rung: 'load', reason: 'no-hardware' })
})
