import test from 'ava'
import { createDmaSpace, DEVICE_READS, DEVICE_WRITES, FAULTS_KEPT, MAP_FAILED, memoryBank } from '../../hw/iommu.ts'
import type { DmaFault } from '../../hw/iommu.ts'
import { holdIommuToModel } from './_iommu-model.ts'

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

test('any sequence of windows, accesses, masks and switching agrees with the naive model, over several banks', (t) => {
  t.notThrows(() => holdIommuToModel(40, 80, 1))
})
