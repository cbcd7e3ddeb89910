import test from 'ava'
import fc from 'fast-check'
import { createDmaSpace, DEVICE_READS, DEVICE_WRITES, FAULTS_KEPT, MAP_FAILED, memoryBank } from '../../hw/iommu.ts'
import type { DmaFault } from '../../hw/iommu.ts'

const BOTH = DEVICE_READS | DEVICE_WRITES
const bank = () => memoryBank(new ArrayBuffer(1 << 16))

const domain = (options: { windows?: number } = {}) => {
  const faults: DmaFault[] = []
  const iommu = createDmaSpace('dev', { ...options, onFault: (fault) => faults.push(fault) })
  iommu.setEnabled(true)
  return { iommu, faults }
}

test('a window keeps the offset in its page and reaches its bytes', (t) => {
  const { iommu } = domain()
  const memory = bank()
  const iova = iommu.map(memory, 0x1ffd, 10, BOTH)
  t.is(iova & 0xfff, 0xffd)
  t.true(iommu.port.write(iova, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), 0, 10))
  t.is(memory.view.getUint32(0x1ffd, true), 0x04030201)
  t.is(iommu.port.read16(iova + 8), 0x0a09)
  t.is(iommu.port.read8(iova + 9), 10)
  t.false(iommu.port.failed)
})

test('one byte too many, either side, is a fault and moves nothing', (t) => {
  const { iommu, faults } = domain()
  const memory = bank()
  const iova = iommu.map(memory, 0x100, 16, BOTH)
  t.false(iommu.port.write32(iova + 13, 0xffffffff))
  t.is(iommu.port.read8(iova - 1), 0xff)
  t.is(iommu.port.read32(iova + 16), 0xffffffff)
  t.true(iommu.port.failed)
  t.deepEqual(
    faults.map(({ reason }) => reason),
    ['bounds', 'bounds', 'bounds'],
  )
  t.true(memory.bytes.every((byte) => byte === 0))
})

test('rights are by direction', (t) => {
  const { iommu, faults } = domain()
  const memory = bank()
  const out = iommu.map(memory, 0, 16, DEVICE_READS)
  const into = iommu.map(memory, 0x1000, 16, DEVICE_WRITES)
  t.false(iommu.port.write8(out, 1))
  t.is(iommu.port.read8(into), 0xff)
  t.deepEqual(faults[0], { device: 'dev', iova: out, length: 1, direction: 'write', reason: 'rights' })
  t.is(faults[1]!.direction, 'read')
})

test('an address that was unmapped faults, also after others were mapped', (t) => {
  const { iommu, faults } = domain()
  const memory = bank()
  const stale = iommu.map(memory, 0, 64, BOTH)
  t.is(iommu.unmap(stale, 64), 'unmapped')
  for (let i = 0; i < 100; i++) t.not(iommu.map(memory, 0, 64, BOTH), stale)
  t.false(iommu.port.write8(stale, 1))
  t.is(faults[0]!.reason, 'unmapped')
})

test('unmap: twice, somewhere inside, with another length', (t) => {
  const { iommu } = domain()
  const iova = iommu.map(bank(), 0, 64, BOTH)
  t.is(iommu.unmap(iova + 1, 63), 'not-mapped')
  t.is(iommu.unmap(iova, 63), 'wrong-length')
  t.is(iommu.windows, 1)
  t.is(iommu.unmap(iova, 64), 'unmapped')
  t.is(iommu.unmap(iova, 64), 'not-mapped')
  t.is(iommu.mappedBytes, 0)
})

test('a CPU address given to the device is nobody, and neither is 0', (t) => {
  const { iommu, faults } = domain()
  const memory = bank()
  iommu.map(memory, 0x2000, 64, BOTH)
  t.false(iommu.port.write8(0x2000, 1))
  t.false(iommu.port.write8(0, 1))
  t.is(faults.length, 2)
})

test('without bus mastering nothing is reached', (t) => {
  const { iommu, faults } = domain()
  const iova = iommu.map(bank(), 0, 64, BOTH)
  iommu.setEnabled(false)
  t.false(iommu.port.write8(iova, 1))
  t.is(faults[0]!.reason, 'bus-master')
})

test('a window outside of its bank, or of no length, is refused', (t) => {
  const { iommu } = domain()
  t.is(iommu.map(bank(), 0xffff, 2, BOTH), MAP_FAILED)
  t.is(iommu.map(bank(), 0, 0, BOTH), MAP_FAILED)
  t.is(iommu.map(bank(), -1, 1, BOTH), MAP_FAILED)
  t.is(iommu.windows, 0)
})

test('windows run out and come back', (t) => {
  const { iommu } = domain({ windows: 3 })
  const memory = bank()
  const first = iommu.map(memory, 0, 1, BOTH)
  iommu.map(memory, 0, 1, BOTH)
  iommu.map(memory, 0, 1, BOTH)
  t.is(iommu.map(memory, 0, 1, BOTH), MAP_FAILED)
  iommu.unmap(first, 1)
  t.not(iommu.map(memory, 0, 1, BOTH), MAP_FAILED)
  t.is(iommu.unmapAll(), 3)
  t.is(iommu.windows, 0)
  t.is(iommu.mappedBytes, 0)
})

test('a narrow device gets addresses it can drive', (t) => {
  const { iommu } = domain()
  t.true(iommu.setMask(24))
  for (let i = 0; i < 5000; i++) {
    const iova = iommu.map(bank(), 0, 4096, BOTH)
    t.true(iova >= 4096 && iova + 4096 <= 2 ** 24)
    iommu.unmap(iova, 4096)
  }
  iommu.map(bank(), 0, 1, BOTH)
  t.true(iommu.setMask(24))
  t.false(iommu.setMask(32))
  t.false(iommu.setMask(12))
  t.is(iommu.unmapAll(), 1)
  t.true(iommu.setMask(64))
  t.true(iommu.map(bank(), 0, 1, BOTH) >= 0x10000000)
})

test('faults are counted for ever and kept up to a limit', (t) => {
  const { iommu } = domain()
  for (let i = 0; i < 1000; i++) iommu.port.read8(i)
  t.is(iommu.faultCount, 1000)
  t.is(iommu.faults.length, FAULTS_KEPT)
})

/** The same, the slow way: every mapped byte in a map. */
class Model {
  readonly windows = new Map<number, { length: number; address: number; rights: number }>()

  find(iova: number, length: number, right: number): number {
    for (const [start, window] of this.windows)
      if (iova >= start && iova + length <= start + window.length && window.rights & right)
        return window.address + iova - start
    return -1
  }
}

const operation = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('map' as const),
      at: fc.nat(0xffff),
      length: fc.integer({ min: 1, max: 9000 }),
      rights: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('unmap' as const), pick: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('access' as const),
      pick: fc.nat(),
      offset: fc.integer({ min: -8, max: 9008 }),
      length: fc.integer({ min: 1, max: 3000 }),
      write: fc.boolean(),
    }),
  },
)

test('any sequence of map, unmap and access agrees with the naive model', (t) => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 120 }), (operations) => {
      const { iommu, faults } = domain()
      const memory = bank()
      const expected = new Uint8Array(1 << 16)
      const model = new Model()
      const known: number[] = []
      let stamp = 1
      for (const step of operations) {
        if (step.op === 'map') {
          const iova = iommu.map(memory, step.at, step.length, step.rights)
          if (step.at + step.length > 1 << 16) {
            t.is(iova, MAP_FAILED)
            continue
          }
          for (const [start, window] of model.windows)
            t.true((iova & ~0xfff) > start + window.length || iova + step.length < start - (start & 0xfff))
          model.windows.set(iova, { length: step.length, address: step.at, rights: step.rights })
          known.push(iova)
        } else if (known.length !== 0 && step.op === 'unmap') {
          const iova = known[step.pick % known.length]!
          const length = model.windows.get(iova)?.length
          t.is(iommu.unmap(iova, length ?? 1), length === undefined ? 'not-mapped' : 'unmapped')
          model.windows.delete(iova)
        } else if (known.length !== 0 && step.op === 'access') {
          const iova = known[step.pick % known.length]! + step.offset
          const at = model.find(iova, step.length, step.write ? DEVICE_WRITES : DEVICE_READS)
          const data = new Uint8Array(step.length).fill(stamp++ & 0xff)
          const before = faults.length
          const done = step.write
            ? iommu.port.write(iova, data, 0, step.length)
            : iommu.port.read(iova, data, 0, step.length)
          t.is(done, at >= 0)
          t.is(faults.length, before + (at >= 0 ? 0 : 1))
          if (at >= 0 && step.write) expected.set(data, at)
          if (at >= 0 && !step.write) t.deepEqual(data, expected.slice(at, at + step.length))
        }
      }
      t.is(iommu.windows, model.windows.size)
      t.true(Buffer.from(memory.bytes).equals(expected))
      t.is(iommu.unmapAll(), model.windows.size)
    }),
    { numRuns: 150 },
  )
})
