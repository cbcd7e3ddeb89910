/**
 * What a frame may cost a machine with a real driver: calls of the host by the driver and the kernel under it, events of the
 * clock, records of the log. The host never calls into the domain. No clock is looked at: the numbers are the same on every
 * computer, for one compiler. Whoever changes one looks whether that is a frame's due, and writes the new one down.
 */
import test, { type ExecutionContext } from 'ava'
import * as checks from '../../lab/net/checks.ts'
import { interfaceOf, peerOf } from '../../lab/net/index.ts'
import { boot } from '../../lab/run.ts'
import { Failure } from '../../kernel/fault.ts'
import type { FramePort } from '../../machine/class/net/frame-port.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { Observer } from '../../machine/observe/observer.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace } from './workspace.ts'

const FRAMES = 4096

const workspace = await openTestWorkspace()
const { modules } = await buildModules({
  tree: workspace.tree,
  selectors: ['8139too', 'e1000'],
  toolchain: workspace.toolchain,
})

interface Cost {
  /** Calls of the driver ABI that were made. */
  calls: number
  /** Events of the clock that were armed. */
  armed: number
  records: number
}

/** A machine with the driver and its link up, and what frames through it cost, each of these in all. */
async function machineWith(name: string, unpaced: boolean) {
  const module = modules.find((one) => one.name === name)!
  let calls = 0
  const observer: Observer = {
    call:
      (_host, _group, _name, _blocking, call) =>
      (...args) => {
        calls++
        return call(...args)
      },
  }
  const pack = await readPackage(module.package!, name)
  const session = await boot({ seed: 1, modules: [{ pack }], observer, unpaced })
  const { machine } = session
  const [net, peer] = [interfaceOf(session.climbers[0]!), peerOf(session)]
  const up = await checks.linkUp(machine, net)
  if (!up.ok) throw new Error(up.detail)
  const { clock, log } = machine.board.kernel
  let armed = 0
  const arm = clock.arm.bind(clock)
  clock.arm = (event, ns) => {
    armed++
    arm(event, ns)
  }
  const now = (): Cost => ({ calls, armed, records: log.count })
  /** Frames of one length, no more than `window` under way; per 1,024 of them, rounded up. */
  const pass = async (from: FramePort, to: FramePort, bytes: number, window: number): Promise<Cost> => {
    let [sent, arrived] = [0, 0]
    const frame = new Uint8Array(bytes)
    frame.set(to.mac)
    frame.set(from.mac, 6)
    frame.set([0x88, 0xb5], 12)
    to.sink = {
      receive: () => {
        arrived++
        if (2 * (sent - arrived) <= window) from.kick()
      },
    }
    from.source = {
      fill: (into, at) => {
        if (sent === FRAMES || sent - arrived >= window) return 0
        sent++
        into.set(frame, at)
        return bytes
      },
    }
    const before = now()
    from.kick()
    await machine.run(() => arrived === FRAMES, 10e9)
    const after = now()
    from.source = undefined
    to.sink = undefined
    if (arrived !== FRAMES) throw new Error(`${arrived} of ${FRAMES} frames came`)
    const per = (key: keyof Cost): number => Math.ceil(((after[key] - before[key]) * 1024) / FRAMES)
    return { calls: per('calls'), armed: per('armed'), records: per('records') }
  }
  return {
    transmit: (bytes: number) => pass(net, peer, bytes, Infinity),
    receive: (bytes: number, window: number) => pass(peer, net, bytes, window),
  }
}

type Row = readonly [what: 'transmit' | 'receive', bytes: number, limit: Cost]

/** Of a limit, what is spent at least: one that is far from what is spent holds nobody. */
const NEAR = 0.9

/**
 * Every figure is at most its limit, and near it. `window`: frames to receive that are under way; `unpaced`: on wires on which
 * nothing takes time. A machine a row: none has learnt from another.
 */
async function hold(
  t: ExecutionContext,
  name: string,
  window: number,
  rows: readonly Row[],
  unpaced = false,
): Promise<void> {
  for (const [what, bytes, limit] of rows) {
    const { transmit, receive } = await machineWith(name, unpaced)
    const pass = { transmit: () => transmit(bytes), receive: () => receive(bytes, window) }
    // What is made once is made.
    for (const each of Object.values(pass)) await each()
    const found = await pass[what]()
    const text = `${name}, ${what} ${bytes}: ${JSON.stringify(found)} for ${JSON.stringify(limit)}`
    for (const key of Object.keys(limit) as (keyof Cost)[])
      t.true(found[key] <= limit[key] && found[key] >= Math.floor(NEAR * limit[key]), text)
  }
}

test.serial('e1000, 1,024 frames', (t) =>
  hold(t, 'e1000', 128, [
    ['transmit', 60, { calls: 2250, armed: 150, records: 10 }],
    ['transmit', 1514, { calls: 6000, armed: 2930, records: 515 }],
    ['receive', 60, { calls: 345, armed: 101, records: 73 }],
    ['receive', 1514, { calls: 5680, armed: 1550, records: 785 }],
  ]),
)

test.serial('8139too, 1,024 frames', (t) =>
  hold(t, '8139too', 16, [
    ['transmit', 60, { calls: 13900, armed: 4110, records: 2060 }],
    ['transmit', 1514, { calls: 13700, armed: 4110, records: 2065 }],
    ['receive', 60, { calls: 6830, armed: 620, records: 722 }],
    ['receive', 1514, { calls: 20990, armed: 2580, records: 3230 }],
  ]),
)

test.serial('e1000 on wires without pace, 1,024 frames', (t) =>
  hold(
    t,
    'e1000',
    128,
    [
      ['transmit', 60, { calls: 2200, armed: 42, records: 10 }],
      ['transmit', 1514, { calls: 2200, armed: 48, records: 7 }],
      ['receive', 60, { calls: 210, armed: 17, records: 47 }],
      ['receive', 1514, { calls: 2280, armed: 16, records: 47 }],
    ],
    true,
  ),
)

test.serial('8139too on wires without pace, 1,024 frames', (t) =>
  hold(
    t,
    '8139too',
    16,
    [
      ['transmit', 60, { calls: 5960, armed: 1440, records: 405 }],
      ['transmit', 1514, { calls: 5960, armed: 1440, records: 405 }],
      ['receive', 60, { calls: 4400, armed: 68, records: 265 }],
      ['receive', 1514, { calls: 4400, armed: 68, records: 265 }],
    ],
    true,
  ),
)

/** What the engine is asked to make while `work` is done: counted, and made. */
async function made(work: () => Promise<void>): Promise<Record<string, number>> {
  const engine = WebAssembly as unknown as Record<string, object>
  const counts: Record<string, number> = {}
  const before = new Map<string, object>()
  for (const name of ['compile', 'instantiate', 'Instance', 'Memory', 'Module', 'Table']) {
    const real = engine[name]!
    before.set(name, real)
    const count = (): void => void (counts[name] = (counts[name] ?? 0) + 1)
    engine[name] = new Proxy(real, {
      apply: (target, self, args: unknown[]) => (count(), Reflect.apply(target as () => unknown, self, args)),
      construct: (target, args: unknown[]) => (count(), Reflect.construct(target as new () => object, args)),
    })
  }
  try {
    await work()
  } finally {
    for (const [name, real] of before) engine[name] = real
  }
  return counts
}

test.serial(
  'a driver that fails again and again is started again with what it left: the engine makes nothing',
  async (t) => {
    const module = modules.find(({ name }) => name === 'e1000')!
    const pack = await readPackage(module.package!, 'e1000')
    const restarts = { limit: 10, windowNs: 60e9, backoffNs: 1e6, backoffMaxNs: 1e6 }
    const { machine, climbers } = await boot({ seed: 1, modules: [{ pack }], restarts })
    const net = interfaceOf(climbers[0]!)
    const restart = async (): Promise<void> => {
      const { generation } = net
      machine.driver('e1000')!.domain.fail(new Failure('bug', 'for this test'))
      await machine.run(() => net.generation > generation, 60e9)
      t.is(net.generation, generation + 1)
    }
    // A second one of what it runs in is made for the first failure, and what lays its memory when that is laid again.
    for (let i = 0; i < 3; i++) await restart()
    const counts = await made(async () => {
      for (let i = 0; i < 3; i++) await restart()
    })
    t.deepEqual(counts, {})
  },
)

test.after.always(() => workspace.close())
