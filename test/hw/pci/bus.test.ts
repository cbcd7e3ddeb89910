import test from 'ava'
import type { DeviceContext, PciDevice } from '../../../hw/types.ts'
import { DEVICE_WRITES } from '../../../hw/iommu.ts'
import { testBoard } from '../support.ts'

/** A device with every kind of BAR and interrupt, whose registers are plain memory. */
const probe = (context: DeviceContext): PciDevice & { context: DeviceContext; resets: number } => {
  const memory = new Uint8Array(4096)
  const view = new DataView(memory.buffer)
  const device = {
    model: 'probe',
    context,
    resets: 0,
    identity: {
      vendor: 0x1234,
      device: 0x5678,
      subsystemVendor: 1,
      subsystemDevice: 2,
      classCode: 0xff0000,
      revision: 3,
      interruptPin: 1,
    },
    bars: [
      { index: 0, kind: 'mem64', bytes: 4096, prefetchable: true },
      { index: 2, kind: 'io', bytes: 64 },
      { index: 3, kind: 'mem32', bytes: 256 },
      { index: 4, kind: 'mem32', bytes: 4096 },
    ] as const,
    capabilities: {
      powerManagement: true,
      pcie: true,
      msi: { vectors: 4, address64: true },
      msix: { vectors: 3, tableBar: 4, tableOffset: 0, pbaOffset: 0x800 },
    } as const,
    read: (bar: number, offset: number, width: number) =>
      width === 4
        ? view.getUint32(bar * 256 + offset, true)
        : width === 2
          ? view.getUint16(bar * 256 + offset, true)
          : view.getUint8(bar * 256 + offset),
    write: (bar: number, offset: number, width: number, value: number) => {
      for (let i = 0; i < width; i++) memory[bar * 256 + offset + i] = value >>> (8 * i)
    },
    reset: () => {
      device.resets++
      memory.fill(0)
      context.interrupts.setLevel(false)
    },
  }
  return device
}

const plugged = () => {
  const board = testBoard()
  const fn = board.host.plug(probe)
  const device = fn.device as ReturnType<typeof probe>
  return { board, fn, device, context: device.context }
}

test('a plugged function answers configuration reads; an empty slot reads all ones', (t) => {
  const { board, fn } = plugged()
  t.is(fn.name, '0000:00:01.0')
  t.is(board.host.configRead(fn.location, 0, 4), 0x56781234)
  t.is(board.host.configRead(fn.location, 8, 4), 0xff000003)
  t.is(board.host.configRead(0xf8, 0, 4), 0xffffffff)
})

test('BARs have addresses of their own kind and answer only while decoding is on', (t) => {
  const { board, fn } = plugged()
  const io = fn.bar(2)!
  const mem = fn.bar(3)!
  t.is(fn.bar(1), undefined)
  t.true(io.start >= 0x1000 && io.start + 64 <= 0x10000)
  t.is(mem.start % 4096, 0)
  t.is(board.host.memoryRead(mem.start, 4), 0xffffffff)
  fn.configWrite(4, 2, 2)
  board.host.memoryWrite(mem.start + 4, 4, 0x80000001)
  t.is(board.host.memoryRead(mem.start + 4, 4), 0x80000001)
  t.is(board.host.portRead(io.start, 4), 0xffffffff)
  fn.configWrite(4, 2, 3)
  board.host.portWrite(io.start, 2, 0xabcd)
  t.is(board.host.portRead(io.start + 1, 1), 0xab)
})

test('a misaligned access is carried as bytes; one across the end of a BAR reads all ones', (t) => {
  const { fn } = plugged()
  fn.configWrite(4, 2, 7)
  const bar = fn.bar(3)!
  bar.write(1, 4, 0x11223344)
  t.is(bar.read(1, 4), 0x11223344)
  t.is(bar.read(2, 2), 0x2233)
  t.is(bar.read(253, 4), 0xffffffff)
})

test('bus mastering gates DMA, and a refused access sets master abort', (t) => {
  const { board, fn, context } = plugged()
  const iova = fn.dma.map(board.memory, 0x1234, 100, DEVICE_WRITES)
  t.false(context.dma.write32(iova, 1))
  t.is(board.faults[0]!.reason, 'bus-master')
  t.is(fn.configRead(6, 2) & 0x2000, 0x2000)
  fn.configWrite(6, 2, 0x2000)
  t.is(fn.configRead(6, 2) & 0x2000, 0)
  fn.configWrite(4, 2, 4)
  t.true(context.dma.write32(iova, 0xdeadbeef))
  t.is(board.memory.view.getUint32(0x1234, true), 0xdeadbeef)
})

test('INTx: level, interrupt disable, status bit', (t) => {
  const { board, fn, context } = plugged()
  context.interrupts.setLevel(true)
  t.true(board.interrupts.asserted(fn.line))
  t.is(fn.configRead(6, 2) & 8, 8)
  fn.configWrite(4, 2, 0x400)
  t.false(board.interrupts.asserted(fn.line))
  t.is(fn.configRead(6, 2) & 8, 8)
  fn.configWrite(4, 2, 0)
  t.true(board.interrupts.asserted(fn.line))
  context.interrupts.setLevel(false)
  t.false(board.interrupts.asserted(fn.line))
})

test('MSI: vectors are aligned, the pin is quiet, freeing returns to INTx', (t) => {
  const { board, fn, context } = plugged()
  fn.configWrite(4, 2, 4)
  const first = fn.allocateVectors('msi', 3)
  t.is(first % 4, 0)
  t.is(fn.allocateVectors('msi', 1), -1)
  const got: number[] = []
  for (let i = 0; i < 3; i++) board.interrupts.attach(first + i, (irq) => got.push(irq))
  t.true(context.interrupts.messageSignalled)
  context.interrupts.setLevel(true)
  t.false(board.interrupts.asserted(fn.line))
  context.interrupts.message(2)
  t.deepEqual(got, [first + 2])
  t.is(fn.freeVectors(), 4)
  t.is(board.interrupts.allocated, 0)
  t.is(board.interrupts.attachments, 0)
  t.true(board.interrupts.asserted(fn.line))
})

test('MSI without bus mastering sends nothing; a message number of another function is refused', (t) => {
  const { board, fn, context } = plugged()
  const first = fn.allocateVectors('msix', 3)
  const got: number[] = []
  board.interrupts.attach(first, (irq) => got.push(irq))
  context.interrupts.message(0)
  t.deepEqual(got, [])
  fn.configWrite(4, 2, 6)
  context.interrupts.message(0)
  t.deepEqual(got, [first])
  fn.bar(4)!.write(8, 4, first + 100)
  context.interrupts.message(0)
  t.is(fn.strayMessages, 1)
})

test('MSI-X: a masked entry is pending until it is unmasked', (t) => {
  const { board, fn, context } = plugged()
  fn.configWrite(4, 2, 6)
  const first = fn.allocateVectors('msix', 3)
  const got: number[] = []
  board.interrupts.attach(first + 1, (irq) => got.push(irq))
  const table = fn.bar(4)!
  table.write(16 + 12, 4, 1)
  context.interrupts.message(1)
  t.is(table.read(0x800, 4), 2)
  t.deepEqual(got, [])
  table.write(16 + 12, 4, 0)
  t.deepEqual(got, [first + 1])
  t.is(table.read(0x800, 4), 0)
})

test('what belongs to the host is refused to a driver', (t) => {
  const { fn } = plugged()
  const start = fn.bar(3)!.start
  t.false(fn.driverConfigWrite(0x1c, 4, 0))
  t.false(fn.driverConfigWrite(0x0e, 4, 0))
  t.false(fn.driverConfigWrite(0x3c, 1, 5))
  t.false(fn.driverConfigWrite(255, 4, 5))
  t.is(fn.bar(3)!.start, start)
  t.true(fn.driverConfigWrite(4, 2, 7))
  t.true(fn.bar(3)!.decoded)
  t.true(fn.driverConfigWrite(0x0c, 1, 8))
  t.is(fn.configRead(0x0c, 1), 8)
})

test('a BAR moved onto another range is not decoded, and the other still is', (t) => {
  const { board, fn } = plugged()
  fn.configWrite(4, 2, 7)
  const [mem64, , mem32] = fn.bars
  const home = mem32!.start
  fn.configWrite(0x1c, 4, mem64!.start)
  t.false(mem32!.decoded)
  t.is(board.host.findMemory(mem64!.start), mem64)
  fn.configWrite(0x1c, 4, home)
  t.true(mem32!.decoded)
})

test('D3 turns decoding, DMA and the pin off; D0 turns them on again', (t) => {
  const { board, fn, context } = plugged()
  fn.configWrite(4, 2, 7)
  context.interrupts.setLevel(true)
  const pmcsr = 0x40 + 4
  fn.configWrite(pmcsr, 2, 3)
  t.false(fn.bar(3)!.decoded)
  t.false(fn.dma.enabled)
  t.false(board.interrupts.asserted(fn.line))
  fn.configWrite(pmcsr, 2, 0)
  t.true(fn.bar(3)!.decoded)
  t.true(fn.dma.enabled)
  t.true(board.interrupts.asserted(fn.line))
})

test('reset keeps configuration, detach keeps only the places of the BARs', (t) => {
  const { board, fn, device, context } = plugged()
  fn.configWrite(4, 2, 7)
  fn.allocateVectors('msi', 1)
  fn.dma.map(board.memory, 0, 10, DEVICE_WRITES)
  context.interrupts.setLevel(true)
  const start = fn.bar(0)!.start
  fn.reset()
  t.is(device.resets, 1)
  t.is(fn.configRead(4, 2), 7)
  t.true(fn.messageSignalled)
  t.deepEqual(fn.detach(), { windows: 1, vectors: 1 })
  t.is(device.resets, 2)
  t.is(fn.configRead(4, 2), 0)
  t.false(fn.messageSignalled)
  t.is(fn.bar(0)!.start, start)
  t.true(fn.bar(0)!.claimed)
  t.is(fn.configRead(0x3c, 1), fn.line)
})

test('function level reset through the express capability forgets everything', (t) => {
  const { fn, device } = plugged()
  fn.configWrite(4, 2, 7)
  let at = fn.configRead(0x34, 1)
  while (fn.configRead(at, 1) !== 0x10) at = fn.configRead(at + 1, 1)
  fn.configWrite(at + 8, 2, fn.configRead(at + 8, 2) | 0x8000)
  t.is(device.resets, 1)
  t.is(fn.configRead(4, 2), 0)
  t.is(fn.bar(0)!.claimed, false)
})

test('an unplugged function is gone and its addresses are free', (t) => {
  const { board, fn } = plugged()
  const start = fn.bar(0)!.start
  board.host.unplug(fn)
  t.is(board.host.findMemory(start), undefined)
  t.is(board.host.configRead(fn.location, 0, 4), 0xffffffff)
  t.is(board.host.plug(probe).bar(0)!.start, start)
})

test('an expansion ROM is read where the host placed it, while it is enabled; its driver enables it and moves nothing', (t) => {
  const board = testBoard()
  const rom = Uint8Array.from({ length: 4096 }, (_, i) => (i * 7) & 0xff)
  const fn = board.host.plug((context) => ({ ...probe(context), rom }))
  const { start, bytes } = fn.bar(6)!
  t.deepEqual([start % 4096, bytes], [0, 4096])
  t.is(fn.configRead(0x30, 4), start)
  fn.configWrite(4, 2, 2)
  t.is(board.host.memoryRead(start, 4), 0xffffffff)
  // Sizing, as for a BAR.
  t.false(fn.driverConfigWrite(0x30, 4, 0xfffff800))
  t.is(fn.configRead(0x30, 4), 0xfffff000)
  t.true(fn.driverConfigWrite(0x30, 4, start))
  t.is(fn.configRead(0x30, 4), start)
  t.true(fn.driverConfigWrite(0x30, 4, start + 1))
  t.is(board.host.memoryRead(start + 4, 4), 0x312a231c)
  t.is(board.host.memoryRead(start + 4094, 2), 0xf9f2)
  board.host.memoryWrite(start, 4, 0)
  t.is(board.host.memoryRead(start, 4), 0x150e0700)
  t.false(fn.driverConfigWrite(0x30, 4, start + 4096 + 1))
  t.is(fn.configRead(0x30, 4), start + 1)
  fn.detach()
  t.is(fn.configRead(0x30, 4), start)
  fn.configWrite(4, 2, 2)
  t.is(board.host.memoryRead(start, 4), 0xffffffff)
  t.is(fn.device.read(0, 0, 4), 0, 'nothing was written to the device')
  t.throws(() => board.host.plug((context) => ({ ...probe(context), rom: new Uint8Array(1000) })), {
    message: /its ROM is 1000 bytes/,
  })
})
