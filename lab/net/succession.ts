/**
 * Hot replacement as a scenario's step: under traffic, with the frames it cost counted and what was handed over checked.
 */
import * as checks from './checks.ts'
import type { Check } from './checks.ts'
import { stats } from '../../machine/class/net/control.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { buildOf } from '../../machine/supervise/replace.ts'
import type { Climber, Session } from '../run.ts'
import { startTraffic } from './traffic.ts'

const FRAMES = 20_000
/** A tenth passes before the replacement begins. */
const BEFORE = FRAMES / 5

const milliseconds = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`

/** Replace a module's running driver by another build while frames go both ways. */
export function replaceUnderTraffic(session: Session, one: Climber, pack: DriverPackage): Promise<Check> {
  const { machine, peer } = session
  const net = one.net!
  return checks.attempt(`${one.name}: replaced under traffic by the build for ${buildOf(pack).tree}`, async () => {
    const address = [...net.mac].join(':')
    const { mtu } = net
    const generation = machine.driver(one.name)!.generation
    const running = startTraffic(machine.board.kernel, net, peer, machine.seed, { frames: FRAMES })
    await machine.run(() => running.received >= BEFORE, 10e9)
    const before = await stats(net)
    const old = machine.driver(one.name)!
    const done = await machine.replace(one.name, pack)
    one.driver = machine.driver(one.name)
    const remains = Object.entries(old.domain.remains()).filter(([, count]) => count !== 0)
    const [up, link] = await checks.carrier(machine, net, true)
    net.kick()
    await checks.finish(machine, running, FRAMES)
    const { reports } = running
    running.stop()
    const now = await stats(net)
    const after = await checks.traffic(machine, net, peer, { frames: 100 })
    const wrong = [
      ...(done.ok ? [] : [done.reason ?? 'not replaced']),
      ...(up ? [] : ['no link']),
      ...([...net.mac].join(':') === address && net.mtu === mtu ? [] : ['address or MTU changed']),
      ...(now.tx_packets >= before.tx_packets && now.rx_packets >= before.rx_packets ? [] : ['statistics went back']),
      ...(reports.every(({ corrupt, duplicates }) => corrupt === 0 && duplicates === 0) ? [] : ['frames damaged']),
      ...(done.left === '' && remains.length === 0 ? [] : [`left behind: ${done.left} ${remains.join(' ')}`]),
      ...(after.ok ? [] : [after.detail]),
    ]
    const lost = reports.map(({ from, to, lost: count }) => `${count} from ${from} to ${to}`).join(' and ')
    const { handed } = done
    const what = [
      `generation ${generation} (${done.from.tree}) to ${done.generation} (${done.to.tree})`,
      `paused ${milliseconds(done.pausedNs)}, ${link}`,
      `${handed['txFrames'] ?? 0} frames sent before it went, ${handed['frames'] ?? 0} handed over`,
      `of ${FRAMES} each way lost: ${lost}`,
    ]
    return [wrong.length === 0, [...wrong, ...what].join('; ')]
  })
}
