import test from 'ava'
import fc from 'fast-check'
import { createDmaSpace, DEVICE_READS, DEVICE_WRITES, memoryBank } from '../../hw/iommu.ts'
import { framesHeld, release, takeFrame } from '../../hw/net/frame.ts'

const PAGE = 65536

test('frames move to and from a domain the same with the engine’s instruction and without', (t) => {
  const memory = new WebAssembly.Memory({ initial: 1 })
  const banks = [memoryBank(memory), memoryBank(new ArrayBuffer(PAGE))] as const
  t.not(banks[0].mover, undefined, 'this engine has it')
  t.is(banks[1].mover, undefined)
  const before = framesHeld()
  const piece = fc.tuple(fc.nat(PAGE - 1), fc.nat(2100), fc.nat(2100))
  fc.assert(
    fc.property(piece, fc.integer(), ([from, at, most], seed) => {
      const length = Math.min(most, PAGE - from, 2108 - at)
      const results = banks.map((bank) => {
        bank.bytes.forEach((_, i) => (bank.bytes[i] = (i * 31 + seed) >>> 3))
        const domain = createDmaSpace('device')
        domain.setEnabled(true)
        const iova = domain.map(bank, 0, PAGE, DEVICE_READS | DEVICE_WRITES)
        const frame = takeFrame(2108)
        frame.bytes.fill(7)
        const read = domain.port.readFrame(iova + from, frame, at, length)
        const got = frame.bytes.slice()
        const written = domain.port.writeFrame(iova + ((from * 7) % (PAGE - length)), frame, at, length)
        release(frame)
        return { read, written, got, left: bank.bytes.slice() }
      })
      return JSON.stringify(results[0]) === JSON.stringify(results[1])
    }),
    { numRuns: 20 },
  )
  t.is(framesHeld(), before)
})

test('what is outside of a window moves nothing; what is outside of a frame is an error of the model', (t) => {
  const domain = createDmaSpace('device')
  domain.setEnabled(true)
  const iova = domain.map(memoryBank(new WebAssembly.Memory({ initial: 1 })), 0, 100, DEVICE_READS)
  const frame = takeFrame(60)
  frame.bytes.fill(9)
  t.false(domain.port.readFrame(iova + 50, frame, 0, 51))
  t.false(domain.port.writeFrame(iova, frame, 0, 60))
  t.true(frame.bytes.every((byte) => byte === 9))
  t.is(domain.faultCount, 2)
  t.throws(() => domain.port.readFrame(iova, frame, frame.bytes.length - 10, 20), { instanceOf: RangeError })
  release(frame)
})
