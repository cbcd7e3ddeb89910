/**
 * From a driver's failure to the first frame that its next generation receives, as `drvport run` does it: the failure
 * comes out of the driver's own C code, its backtrace is named by file and line, a post-mortem record is made, the
 * package is verified where the machine does that, and the configuration is replayed.
 *
 *   node bench/restart.ts [--module NAME] [--times N] [--seed N] [--tree NAME] [--apart MS]
 *   node --expose-gc bench/restart.ts --sustain SECONDS [--module NAME] [--seed N] [--tree NAME]
 *
 * Wall time and processor time, the first restart of the process and the later ones apart: the first meets code that
 * the engine has not compiled yet. V8 begins a full collection whenever 64 MiB of array buffers are new, and that is one
 * driver's memory: it goes on beside a restart and ends some 20 ms after. So restarts are --apart from one another, or
 * each would be timed with the collection of the one before; with 0 they are not.
 *
 * With --sustain, one after the other as fast as they go, collections included: how many a second of wall time, and what the process
 * keeps at each tenth of it. Two minutes of virtual time lie between two, which the policy forgives a failure in; they are in it too.
 */
import '../cli/inlining.ts'
import { parseArgs } from 'node:util'
import { symbolizerOf } from '../cli/trust.ts'
import * as checks from '../lab/net/checks.ts'
import type { FramePort, FrameSource } from '../machine/class/net/frame-port.ts'
import type { DriverPackage } from '../machine/load/package.ts'
import { readPackage } from '../machine/load/package-files.ts'
import { since } from '../machine/observe/newest.ts'
import type { PostMortem } from '../machine/observe/post-mortem.ts'
import { boot, type Session } from '../lab/run.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'
import { interfaceOf, peerOf } from '../lab/net/index.ts'

const FRAME_BYTES = 60
/** Of an ethertype for experiments. */
const ETHERTYPE = 0x88b5

export interface Restart {
  readonly wallMs: number
  readonly cpuMs: number
  /** Of the wall time: until the device is bound again and the configuration replayed. */
  readonly boundMs: number
}

export interface Restarts {
  readonly first: Restart
  next(): Promise<Restart>
}

/** One frame from one endpoint to another; `received` when it came. */
function send(from: FramePort, to: FramePort): { received: boolean } {
  const state = { received: false }
  let sent = false
  const source: FrameSource = {
    fill: (into, at) => {
      if (sent) return 0
      sent = true
      into.fill(0, at, at + FRAME_BYTES)
      into.set(to.mac, at)
      into.set(from.mac, at + 6)
      into[at + 12] = ETHERTYPE >> 8
      into[at + 13] = ETHERTYPE & 0xff
      return FRAME_BYTES
    },
  }
  to.sink = { receive: () => void (state.received = true) }
  from.source = source
  from.kick()
  return state
}

/** Boot a machine with the driver, fail it once, and be ready to fail it again; `apartMs` of the wall between failures. */
export async function restarts(pack: DriverPackage, seed: number, apartMs = 100): Promise<Restarts> {
  let record: PostMortem | undefined
  const onPostMortem = (made: PostMortem): void => void (record = made)
  const session = await boot({ seed, modules: [{ pack }], symbolizer: symbolizerOf, onPostMortem })
  const net = interfaceOf(session.climbers[0]!)
  const up = await checks.linkUp(session.machine, net)
  if (!up.ok) throw new Error(up.detail)
  const next = async (): Promise<Restart> => {
    record = undefined
    const one = await restartOf(session, pack.manifest.name)
    const frames = (record as PostMortem | undefined)?.fault.frames ?? []
    if (frames[0]?.file === undefined) throw new Error('the failure was recorded without its C backtrace')
    // The policy forgives after a while.
    await session.machine.sleep(120e9)
    await new Promise((resolve) => (apartMs === 0 ? setImmediate(resolve) : setTimeout(resolve, apartMs)))
    return one
  }
  return { first: await next(), next }
}

async function restartOf(session: Session, name: string): Promise<Restart> {
  const { machine, climbers } = session
  const peer = peerOf(session)
  const net = interfaceOf(climbers[0]!)
  const { generation } = net
  const failed = machine.faults.at(-1)
  // The driver's interrupt handler finds that it may not read its registers any more.
  machine.driver(name)!.revokeRegisters()
  send(peer, net)
  const [wall, cpu] = [performance.now(), process.cpuUsage()]
  await machine.run(() => net.generation > generation, 60e9)
  const bound = performance.now()
  await machine.run(() => net.carrier, 60e9)
  // Nobody sends while the link is down: that would time the sender.
  const frame = send(peer, net)
  await machine.run(() => frame.received, 10e9)
  const [end, { user, system }] = [performance.now(), process.cpuUsage(cpu)]
  const failures = since(machine.faults, failed).length
  if (failures !== 1) throw new Error(`${failures} failures, not 1`)
  if (!frame.received) throw new Error('no frame came')
  return { wallMs: end - wall, cpuMs: (user + system) / 1e3, boundMs: bound - wall }
}

async function packageOf(name: string, tree: string): Promise<DriverPackage> {
  const workspace = await openWorkspace({ tree, toolchain: 'auto', onNote: console.error })
  const { modules } = await buildModules({ tree: workspace.tree, selectors: [name], toolchain: workspace.toolchain })
  await workspace.close()
  return readPackage(modules[0]!.package!, modules[0]!.name)
}

/** Cells of a table: median, least, the middle half, most. */
export const quartiles = (figures: readonly number[]): string => {
  const sorted = figures.toSorted((a, b) => a - b)
  const at = (part: number): string => sorted[Math.floor((sorted.length - 1) * part)]!.toFixed(2)
  return `${at(0.5)} | ${at(0)} | ${at(0.25)} to ${at(0.75)} | ${at(1)}`
}

/** Restarts for so many seconds, in ten parts: the rate of each, and what is kept after it. */
async function sustain(next: () => Promise<Restart>, seconds: number): Promise<void> {
  const collect = (globalThis as { gc?: () => void }).gc
  if (collect === undefined)
    throw new Error('--sustain wants node --expose-gc: what is kept is told after a collection')
  console.log('| restarts | a second | resident, MiB | array buffers, MiB | heap, MiB |\n|---:|---:|---:|---:|---:|')
  let count = 0
  for (let part = 0; part < 10; part++) {
    const [start, before] = [performance.now(), count]
    for (; performance.now() - start < seconds * 100; count++) await next()
    const rate = ((count - before) / (performance.now() - start)) * 1000
    collect()
    const { rss, arrayBuffers, heapUsed } = process.memoryUsage()
    const sizes = [rss, arrayBuffers, heapUsed].map((bytes) => (bytes / 2 ** 20).toFixed(1))
    console.log(`| ${count} | ${rate.toFixed(1)} | ${sizes.join(' | ')} |`)
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      module: { type: 'string', default: 'e1000' },
      times: { type: 'string', default: '100' },
      seed: { type: 'string', default: '1' },
      tree: { type: 'string', default: 'linux-6.1' },
      apart: { type: 'string', default: '100' },
      sustain: { type: 'string' },
    },
  })
  const pack = await packageOf(values.module, values.tree)
  if (values.sustain !== undefined)
    return sustain((await restarts(pack, Number(values.seed), 0)).next, Number(values.sustain))
  const { first, next } = await restarts(pack, Number(values.seed), Number(values.apart))
  const later: Restart[] = []
  for (let i = 1; i < Number(values.times); i++) later.push(await next())
  const ms = (key: keyof Restart): number[] => later.map((one) => one[key])
  console.log(`${values.module}, ${later.length} restarts after the first; ms\n`)
  console.log('| | first | median | min | middle half | max |\n|---|---:|---:|---:|---:|---:|')
  for (const [key, name] of [
    ['wallMs', 'wall'],
    ['boundMs', 'of it until bound'],
    ['cpuMs', 'processor'],
  ] as const)
    console.log(`| ${name} | ${first[key].toFixed(2)} | ${quartiles(ms(key))} |`)
}

if (import.meta.main) await main()
