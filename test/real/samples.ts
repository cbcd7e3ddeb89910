/**
 * A machine for a sample driver that makes one mistake (drivers-src/faults): the sample on an RTL8139, beside a healthy
 * e1000 whose traffic must not notice.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { nicModel } from '../../lab/net/models.ts'
import { DriverEnded, type Driver } from '../../machine/driver.ts'
import { Lan, type Nic } from '../../lab/net/lan.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import * as control from '../../machine/class/net/control.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import * as checks from '../../lab/net/checks.ts'
import type { FaultKind } from '../../kernel/fault.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'

/** Line of the mistake in a sample's source. */
export function faultLine(folder: string, name: string): number {
  const lines = readFileSync(join(folder, `${name}.c`), 'utf8').split('\n')
  return lines.findIndex((line) => line.includes('FAULT HERE')) + 1
}

export interface Scene {
  readonly machine: Machine
  readonly lan: Lan
  readonly sample: Nic
  readonly healthy: Nic
  readonly bystander: Driver
}

/** A machine with a working e1000, and an RTL8139 for the sample. */
export async function scene(pack: (name: string) => Promise<DriverPackage>, seed = 1): Promise<Scene> {
  const restarts = { limit: 0, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 1e9 }
  const machine = createMachine({ seed, verify: verifyPackage, symbolizer: symbolizerOf, restarts })
  const lan = new Lan(machine)
  const healthy = lan.plug(nicModel('intel-82540em')!)
  const sample = lan.plug(nicModel('rtl8139')!)
  const bystander = await machine.load(await pack('e1000'))
  await bystander.bind(healthy.fn)
  return { machine, lan, sample, healthy, bystander }
}

/** Load the sample and let its moment come. */
export async function provoke(
  { machine, lan, sample }: Scene,
  pack: DriverPackage,
  when: string,
  leaks = false,
): Promise<void> {
  try {
    const driver = await machine.load(pack, [`${pack.manifest.name}.when=${when}`])
    await driver.bind(sample.fn)
    if (when === 'xmit') {
      const [net] = interfacesOf(driver)
      await control.open(net!)
      startTraffic(machine.board.kernel, net!, lan.station('target'), machine.seed, { frames: 10 })
    }
    // What is only noticed when the device goes has no need to be waited for.
    await machine.run(() => machine.faults.length > 0, leaks ? 1e8 : 200e9)
    if (leaks) await driver.unbind(sample.fn)
  } catch (error) {
    if (!(error instanceof DriverEnded)) throw error
  }
}

/** What a checker of the tree's own is to say of a sample, and where. */
export interface Report {
  readonly folder: string
  readonly name: string
  readonly kind: FaultKind
  readonly said: RegExp
}

/** The checker's report was the one fault, at the sample's C line, and the healthy driver goes on. */
export async function endsAlone(t: ExecutionContext, at: Scene, { folder, name, kind, said }: Report): Promise<void> {
  const [fault, ...more] = at.machine.faults
  t.is(more.length, 0)
  t.is(fault?.domain, name)
  t.is(fault?.kind, kind, fault?.message)
  t.regex(fault?.message ?? '', said)
  const own = fault!.frames.filter((frame) => frame.file.endsWith(`${name}.c`))
  t.is(own[0]?.line, faultLine(folder, name), JSON.stringify(fault, null, 1))
  t.false(at.bystander.dead)
  const [net] = interfacesOf(at.bystander)
  const up = await checks.linkUp(at.machine, net!)
  t.true(up.ok, up.detail)
  const passed = await checks.traffic(at.machine, net!, at.lan.station('peer'), { frames: 100 })
  t.true(passed.ok, passed.detail)
}
