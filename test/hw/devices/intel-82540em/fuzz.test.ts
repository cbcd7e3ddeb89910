/** Whatever a driver writes and whatever the wire brings, the model answers: no exception, no endless work. */
import test from 'ava'
import fc from 'fast-check'
import { REGISTERS } from '../../../../hw/devices/intel-82540em/registers.ts'
import { R, setUp, withRings } from './support.ts'

const offsets = REGISTERS.filter((spec) => spec.name !== 'PBM').map((spec) => spec.offset)
const interesting = fc.oneof(
  fc.constantFrom(0, 1, 2, 8, 0x10, 0x80, 0x100, 0x1000, 0xffff, 0xffffffff, R.RCTL_EN, R.CTRL_SLU, 0x06dfb3fe),
  fc.integer({ min: 0, max: 0xffffffff }),
)
const step = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), offset: fc.constantFrom(...offsets), value: interesting }),
  fc.record({ kind: fc.constant('read' as const), offset: fc.integer({ min: 0, max: 0x1ffff }) }),
  fc.record({ kind: fc.constant('frame' as const), bytes: fc.uint8Array({ minLength: 0, maxLength: 200 }) }),
  fc.record({ kind: fc.constant('memory' as const), at: fc.integer({ min: 0, max: 0x1fff }), bytes: fc.uint8Array() }),
  fc.record({ kind: fc.constant('wait' as const), ns: fc.integer({ min: 1, max: 5_000_000 }) }),
)

test('random registers, descriptors, frames and time', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const bench = setUp()
      const rings = withRings(bench)
      bench.bringUp()
      rings.start()
      for (const each of steps) {
        if (each.kind === 'write') bench.write(each.offset, each.value)
        else if (each.kind === 'wait') bench.wait(each.ns)
        else if (each.kind === 'frame') bench.port.deliver(each.bytes)
        else if (each.kind === 'memory') bench.board.memory.bytes.set(each.bytes, 0x1000 + each.at)
        else {
          const value = bench.device.read(0, each.offset & ~3, 4)
          t.true(Number.isInteger(value) && value >= 0 && value <= 0xffffffff)
        }
      }
      bench.write(R.CTRL, R.CTRL_RST)
      t.is(bench.read(R.RCTL), 0)
    }),
    { numRuns: 300, seed: 82540 },
  )
  t.pass()
})

test('random descriptors in both rings', (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
      fc.uint8Array({ minLength: 1024, maxLength: 1024 }),
      fc.boolean(),
      (transmit, receive, mapped) => {
        const bench = setUp()
        const rings = withRings(bench)
        bench.bringUp()
        rings.start(R.RCTL_EN | R.RCTL_UPE | R.RCTL_MPE)
        const { bytes, view } = bench.board.memory
        bytes.set(transmit, 0x2000)
        bytes.set(receive, 0x1000)
        // Addresses that exist, so that what follows them is tried too.
        if (mapped) for (let i = 0; i < 64; i++) view.setBigUint64(0x2000 + 16 * i, BigInt(rings.txBuffers), true)
        bench.write(R.TDT, 63)
        for (let i = 0; i < 5; i++) bench.port.deliver(new Uint8Array(300).fill(i))
        bench.wait(50_000_000)
        t.true(bench.read(R.TDH) < 64)
      },
    ),
    { numRuns: 100, seed: 82540 },
  )
})
