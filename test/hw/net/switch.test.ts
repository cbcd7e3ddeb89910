import test from 'ava'
import fc from 'fast-check'
import { type Frame, frameOf, release } from '../../../hw/net/frame.ts'
import { createSwitch } from '../../../hw/net/switch.ts'
import type { EthernetPort } from '../../../hw/types.ts'
import { testTimeline } from '../support.ts'

const BROADCAST = [255, 255, 255, 255, 255, 255]
const mac = (host: number): number[] => [2, 0, 0, 0, host >> 8, host & 255]

const setup = (ports: number, options: { ageNs?: number; addresses?: number } = {}) => {
  const timeline = testTimeline()
  const fabric = createSwitch({ timeline, ...options })
  const out: number[][] = []
  const ends: EthernetPort[] = []
  for (let i = 0; i < ports; i++) {
    const pass = (frame: Frame): boolean => {
      release(frame)
      return out.push([i]) > 0
    }
    const end: EthernetPort = { up: true, onFrame: () => {}, onLink: () => {}, send: () => out.push([i]) > 0, pass }
    ends.push(end)
    fabric.attach(end)
  }
  /** Ports a frame comes out of. */
  const send = (port: number, to: readonly number[], from: readonly number[]): number[] => {
    out.length = 0
    const frame = frameOf(Uint8Array.from([...to, ...from, 8, 0, ...Array.from({ length: 46 }, () => 0)]))
    frame.atNs = timeline.now()
    ends[port]!.onFrame(frame)
    release(frame)
    return out.flat()
  }
  return { timeline, fabric, ends, send }
}

test('unknown, broadcast and multicast go everywhere but back; a known address to its port only', (t) => {
  const { fabric, send } = setup(4)
  t.deepEqual(send(0, mac(2), mac(1)), [1, 2, 3])
  t.deepEqual(send(2, mac(1), mac(2)), [0])
  t.deepEqual(send(0, mac(2), mac(1)), [2])
  t.deepEqual(send(2, BROADCAST, mac(2)), [0, 1, 3])
  t.deepEqual(send(2, [1, 0, 0x5e, 0, 0, 1], mac(2)), [0, 1, 3])
  t.deepEqual(fabric.counts, { forwarded: 2, flooded: 3, filtered: 0 })
})

test('a frame for an address on its own port goes nowhere', (t) => {
  const { fabric, send } = setup(2)
  send(0, BROADCAST, mac(1))
  t.deepEqual(send(0, mac(1), mac(5)), [])
  t.is(fabric.counts.filtered, 1)
})

test('link-local groups and short frames are not forwarded', (t) => {
  const { ends, fabric, send } = setup(2)
  t.deepEqual(send(0, [1, 0x80, 0xc2, 0, 0, 0x0e], mac(1)), [])
  ends[0]!.onFrame(frameOf(new Uint8Array(60), 13))
  t.is(fabric.counts.filtered, 2)
})

test('a host that moves is followed; one that is silent is forgotten; a dead port forgets its hosts', (t) => {
  const { timeline, fabric, ends, send } = setup(3, { ageNs: 1000 })
  send(0, BROADCAST, mac(1))
  send(1, BROADCAST, mac(1))
  t.is(fabric.lookup(Uint8Array.from(mac(1))), 1)
  timeline.advance(1000)
  t.is(fabric.lookup(Uint8Array.from(mac(1))), 1)
  timeline.advance(1)
  t.is(fabric.lookup(Uint8Array.from(mac(1))), -1)
  send(2, BROADCAST, mac(1))
  ends[2]!.onLink(false)
  t.deepEqual(send(0, mac(1), mac(3)), [1, 2])
})

test('a group address is never learnt as a source', (t) => {
  const { fabric, send } = setup(2)
  send(0, BROADCAST, [3, 0, 0, 0, 0, 1])
  t.is(fabric.lookup(Uint8Array.from([3, 0, 0, 0, 0, 1])), -1)
})

test('more hosts than the table holds: what it says is true, the rest is flooded', (t) => {
  const { fabric, send } = setup(4, { addresses: 64 })
  let known = 0
  for (let host = 0; host < 500; host++) send(host % 4, BROADCAST, mac(host))
  for (let host = 0; host < 500; host++) {
    const port = fabric.lookup(Uint8Array.from(mac(host)))
    if (port < 0) continue
    known++
    t.is(port, host % 4)
  }
  t.true(known > 30 && known <= 64)
})

const step = fc.record({ port: fc.nat(4), to: fc.nat(12), from: fc.nat(11) })

test('any traffic agrees with a map of address to port', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const { send } = setup(5)
      const heard = new Map<number, number>()
      for (const { port, to, from } of steps) {
        heard.set(from, port)
        const target = to === 12 ? undefined : heard.get(to)
        const everyone = [0, 1, 2, 3, 4].filter((other) => other !== port)
        const expected = target === undefined ? everyone : target === port ? [] : [target]
        t.deepEqual(send(port, to === 12 ? BROADCAST : mac(to), mac(from)), expected)
      }
    }),
  )
})
