import test from 'ava'
import { Lan } from '../../../lab/net/lan.ts'
import { createMachine } from '../../../machine/machine.ts'
import type { FrameSink } from '../../../machine/class/net/frame-port.ts'
import type { Station } from '../../../lab/net/station.ts'
import { startTraffic } from '../../../lab/net/traffic.ts'

function segment(): { machine: ReturnType<typeof createMachine>; a: Station; b: Station } {
  const machine = createMachine({ seed: 7 })
  const lan = new Lan(machine)
  return { machine, a: lan.station('a', 1000), b: lan.station('b', 100) }
}

/** Stands between a station and its sink. */
function tamper(station: Station, change: (frame: Uint8Array, pass: (frame: Uint8Array) => void) => void): void {
  const sink = station.sink as FrameSink
  station.sink = {
    receive: (bytes, at, length) =>
      change(bytes.slice(at, at + length), (frame) => sink.receive(frame, 0, frame.length)),
  }
}

test('every frame of every size arrives, in both directions, at different speeds', async (t) => {
  const { machine, a, b } = segment()
  const traffic = startTraffic(machine.board.kernel, a, b, 1, { frames: 3000 })
  await machine.run(() => traffic.done, 10e9)
  for (const report of traffic.reports) {
    t.like(report, { sent: 3000, received: 3000, lost: 0, duplicates: 0, reordered: 0, corrupt: 0 })
  }
})

test('a changed byte anywhere, a lost frame, one twice and one late are each counted as what they are', async (t) => {
  const { machine, a, b } = segment()
  const traffic = startTraffic(machine.board.kernel, a, b, 1, { frames: 200 })
  let count = 0
  let late: Uint8Array | undefined
  tamper(b, (frame, pass) => {
    count++
    if (count === 10) frame[frame.length - 1]! ^= 1
    if (count === 20) return
    if (count === 30) pass(frame)
    if (count === 40) {
      late = frame
      return
    }
    pass(frame)
    if (count === 41) pass(late!)
  })
  await machine.run(() => traffic.done, 10e9)
  t.like(traffic.reports[0], { sent: 200, received: 198, lost: 2, duplicates: 1, reordered: 1, corrupt: 1 })
  t.like(traffic.reports[1], { sent: 200, received: 200, lost: 0 })
})

test('another seed sends other bytes and arrives at the same counts', async (t) => {
  const run = async (seed: number): Promise<[string, unknown]> => {
    const machine = createMachine({ seed })
    const lan = new Lan(machine)
    const traffic = startTraffic(machine.board.kernel, lan.station('a'), lan.station('b'), seed, { frames: 100 })
    await machine.run(() => traffic.done, 10e9)
    return [machine.board.kernel.log.hash, traffic.reports.map(({ received, lost }) => [received, lost])]
  }
  const [one, again, other] = [await run(1), await run(1), await run(2)]
  t.deepEqual(one, again)
  t.deepEqual(one[1], other[1])
})
