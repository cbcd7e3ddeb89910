/**
 * Scheduling among real drivers: small ones that want the processor (drivers-src/scheduling) beside one another and
 * beside a NIC of the tree. Figures are virtual time: they are the same on every computer.
 */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import * as checks from '../../lab/net/checks.ts'
import { nicModel } from '../../lab/net/models.ts'
import { Lan } from '../../lab/net/lan.ts'
import { createMachine, type Machine, type MachineOptions } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const FOLDER = join(packageRoot, 'drivers-src/scheduling')

const workspace = await openTestWorkspace()
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  built ??= buildModules({ tree: workspace.tree, selectors: [FOLDER, '8139too'], toolchain: workspace.toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return readPackage(module.package, name)
}

const machineWith = (options: MachineOptions): Machine =>
  createMachine({ verify: verifyPackage, symbolizer: symbolizerOf, ...options })

/** The longest that the ticker was late, ns. */
async function lateness(schedule: MachineOptions['schedule'], ...hog: string[]): Promise<number> {
  const machine = machineWith({ ...(schedule && { schedule }) })
  await machine.load(await pack('hog'), hog)
  await machine.load(await pack('ticker'))
  let said: string | undefined
  await machine.run(() => {
    said ??= machine.board.log.find(({ text }) => text.includes('late at most'))?.text
    return said !== undefined
  }, 5e9)
  const found = /(\d+) periods, late at most (\d+) ns/.exec(said ?? '')
  return found === null || found[1] !== '200' ? Infinity : Number(found[2])
}

test('QNX: a driver that works without end does not delay a more urgent one', async (t) => {
  const urgent = await lateness({ ticker: { priority: 40 } })
  t.true(urgent < 250_000, `urgent: ${urgent} ns`)
  // An equal waits for the end of the other's turn.
  const equal = await lateness(undefined)
  t.true(equal > 3e6 && equal < 4.3e6, `equal: ${equal} ns`)
  // A spinlock is its own kernel's: another one's driver need not wait until it is released.
  const locked = await lateness({ ticker: { priority: 40 } }, 'hog.locked=1', 'hog.turns=2000000')
  t.true(locked < 250_000, `behind a lock: ${locked} ns`)
})

test('QNX: a partition gets its share of a machine that drivers overload', async (t) => {
  const machine = machineWith({
    schedule: { hog: { share: 0.2, priority: 60 }, glutton: { share: 0.7 }, ticker: { share: 0.1, priority: 5 } },
  })
  for (const name of ['hog', 'glutton', 'ticker']) await machine.load(await pack(name))
  const { partitions } = machine.board.kernel.scheduler
  await machine.sleep(0.5e9)
  const before = partitions.map(({ total }) => total)
  await machine.sleep(1e9)
  const used = Object.fromEntries(partitions.map(({ name, total }, i) => [name, (total - before[i]!) / 1e9]))
  t.true(used['glutton']! > 0.68, JSON.stringify(used))
  // What the ticker leaves of its tenth goes to the most urgent.
  t.true(used['hog']! > 0.2 && used['hog']! < 0.31, JSON.stringify(used))
  t.true(used['ticker']! < 0.05)
  t.is(machine.faults.length, 0)
})

test('a NIC passes its traffic beside a driver that works without end, and one that never stops ends alone', async (t) => {
  const pass = async (hog: readonly string[] | undefined): Promise<number> => {
    const machine = machineWith({ schedule: { '8139too': { priority: 30 } } })
    const lan = new Lan(machine)
    const nic = lan.plug(nicModel('rtl8139')!)
    const peer = lan.station('peer')
    const driver = await machine.load(await pack('8139too'))
    t.is(await driver.bind(nic.fn), 0)
    const [net] = interfacesOf(driver)
    if (hog !== undefined) await machine.load(await pack('hog'), hog)
    t.true((await checks.linkUp(machine, net!)).ok)
    const start = machine.now()
    const check = await checks.traffic(machine, net!, peer, { frames: 2000 })
    t.true(check.ok, check.detail)
    const took = machine.now() - start
    if (hog !== undefined) {
      await machine.sleep(1.5e9)
      const faults = new Set(machine.faults.map(({ domain, kind }) => `${domain.split('#')[0]} ${kind}`))
      t.deepEqual([...faults], hog.length > 0 ? ['hog endless-loop'] : [])
    }
    return took
  }
  const alone = await pass(undefined)
  const beside = await pass([])
  // Beside a hog the machine's own turns come at its stops: 218 ms where it is 130 ms alone.
  t.true(beside < 2 * alone, `${alone / 1e6} ms alone, ${beside / 1e6} ms beside a hog`)
  await pass(['hog.rude=1'])
})
