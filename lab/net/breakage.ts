/**
 * Breaking a driver the way hardware does: its device damages what it writes, under traffic, until the driver fails in
 * its own code. Then the supervisor has to bring it back.
 */
import type { DriverFault } from '../../kernel/fault.ts'
import * as checks from './checks.ts'
import { attempt, type Check } from '../check.ts'
import { since } from '../../machine/observe/newest.ts'
import type { Recovery } from '../../machine/machine.ts'
import type { NetInterface } from '../../machine/class/net/interface.ts'
import type { Climber, Session } from '../run.ts'
import { interfaceOf, nicOf } from './index.ts'
import { startTraffic } from './traffic.ts'

/** What breaking a driver under traffic came to. */
export interface Breakage {
  readonly fault: DriverFault | undefined
  /** Device writes that were damaged before the driver failed. */
  readonly damaged: number
  readonly recovery: Recovery | undefined
  /** Nobody else failed, and the driver at the other end is still the one that was loaded. */
  readonly contained: boolean
  /** The configuration came back and frames pass again. */
  readonly check: Check
}

const BREAK_FRAMES = 20_000
const BREAK_LIMIT_NS = 20e9

/**
 * Make a driver's device flip bits in what it writes, under traffic, until the driver fails or survives it all; then
 * see the supervisor bring it back. Needs a session with a flaky bus.
 */
export async function breakUnderTraffic(session: Session, one: Climber, peer: NetInterface): Promise<Breakage> {
  const { machine } = session
  const net = interfaceOf(one)
  const faults = nicOf(one).faults
  if (faults === undefined) throw new Error('the session was booted without flakyBus')
  const damagedBefore = faults.damaged
  const failed = machine.faults.at(-1)
  const other = peer.generation
  const running = startTraffic(machine.board.kernel, peer, net, machine.seed, { frames: BREAK_FRAMES })
  faults.armed = BREAK_FRAMES
  const recovered = machine.recoveries.at(-1)
  await machine.run(() => machine.recoveries.at(-1) !== recovered || running.done, BREAK_LIMIT_NS)
  faults.armed = 0
  running.stop()
  one.driver = machine.driver(one.name)
  const check = await session.check(
    attempt(`${one.name}: restarted, and traffic resumed`, async () => {
      const [up, link] = await checks.carrier(machine, net, true)
      const after = await checks.traffic(machine, peer, net, { frames: 1000 })
      return [machine.faults.at(-1) !== failed && up && after.ok, `${link}; ${after.detail}`]
    }),
  )
  const failures = since(machine.faults, failed)
  return {
    fault: failures[0],
    damaged: faults.damaged - damagedBefore,
    recovery: since(machine.recoveries, recovered)[0],
    contained:
      peer.generation === other &&
      failures.every(({ domain }) => domain === one.name || domain.startsWith(`${one.name}#`)),
    check,
  }
}
