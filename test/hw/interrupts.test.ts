import test from 'ava'
import { createInterruptController } from '../../hw/interrupts.ts'

const setup = () => {
  const controller = createInterruptController({ lines: 4, capacity: 32 })
  const told: number[] = []
  return { controller, told, note: (irq: number) => told.push(irq) }
}

test('a line is notified once, delivered, and again while it stays asserted', (t) => {
  const { controller, told, note } = setup()
  const hold = controller.attach(1, note)
  controller.assert(1)
  t.deepEqual(told, [1])
  t.true(hold.begin())
  t.deepEqual(told, [1])
  hold.end()
  t.deepEqual(told, [1, 1])
  t.true(hold.begin())
  controller.deassert(1)
  hold.end()
  t.deepEqual(told, [1, 1])
  t.deepEqual(controller.counts(1), { raised: 1, delivered: 2, spurious: 0, stuck: 0 })
})

test('a line that drops before delivery is spurious', (t) => {
  const { controller, note } = setup()
  const hold = controller.attach(1, note)
  controller.assert(1)
  controller.deassert(1)
  t.false(hold.pending)
  t.false(hold.begin())
  t.is(controller.counts(1).spurious, 1)
})

test('a shared line stays up until its last source lets go, and every client hears of it', (t) => {
  const { controller, told, note } = setup()
  const one = controller.attach(2, note)
  const two = controller.attach(2, note)
  controller.assert(2)
  controller.assert(2)
  t.is(told.length, 2)
  t.true(one.begin())
  controller.deassert(2)
  one.end()
  t.is(told.length, 3)
  t.true(controller.asserted(2))
  controller.deassert(2)
  t.false(two.begin())
  t.throws(() => controller.deassert(2), { instanceOf: RangeError })
})

test('masks nest, hold back the whole line, and unmasking delivers', (t) => {
  const { controller, told, note } = setup()
  const one = controller.attach(2, note)
  controller.attach(2, note)
  one.mask()
  one.mask()
  controller.assert(2)
  t.is(told.length, 0)
  t.true(one.unmask())
  t.is(told.length, 0)
  t.true(one.unmask())
  t.is(told.length, 2)
  t.false(one.unmask())
})

test('masked between notification and begin: late, not lost', (t) => {
  const { controller, told, note } = setup()
  const hold = controller.attach(0, note)
  controller.assert(0)
  hold.mask()
  t.false(hold.begin())
  t.is(controller.counts(0).spurious, 0)
  hold.unmask()
  t.is(told.length, 2)
  t.true(hold.begin())
})

test('masked in service (disable_irq_nosync in a handler): again only after unmask', (t) => {
  const { controller, told, note } = setup()
  const hold = controller.attach(0, note)
  controller.assert(0)
  hold.begin()
  hold.mask()
  hold.end()
  t.is(told.length, 1)
  hold.unmask()
  t.is(told.length, 2)
})

test('detaching takes its masks along', (t) => {
  const { controller, told, note } = setup()
  const one = controller.attach(2, note)
  controller.attach(2, note)
  one.mask()
  controller.assert(2)
  one.detach()
  one.detach()
  t.is(told.length, 1)
  t.false(one.begin())
  t.is(controller.attachments, 1)
})

test('an asserted line is delivered to whoever attaches', (t) => {
  const { controller, told, note } = setup()
  controller.assert(3)
  controller.attach(3, note)
  t.deepEqual(told, [3])
})

test('messages are edges: one that comes during service is delivered after it, two merge', (t) => {
  const { controller, told, note } = setup()
  const irq = controller.allocate(1)
  const hold = controller.attach(irq, note)
  controller.message(irq)
  t.true(hold.begin())
  controller.message(irq)
  controller.message(irq)
  t.is(told.length, 1)
  hold.end()
  t.is(told.length, 2)
  t.true(hold.begin())
  hold.end()
  t.is(told.length, 2)
  t.deepEqual(controller.counts(irq), { raised: 3, delivered: 2, spurious: 0, stuck: 0 })
})

test('a message nobody is attached for is counted and dropped', (t) => {
  const { controller, told, note } = setup()
  const irq = controller.allocate(1)
  controller.message(irq)
  controller.attach(irq, note)
  t.deepEqual(told, [])
  t.is(controller.counts(irq).spurious, 1)
})

test('numbers are allocated aligned, run out, and come back', (t) => {
  const { controller, note } = setup()
  controller.allocate(1)
  const eight = controller.allocate(8, 8)
  t.is(eight % 8, 0)
  t.is(controller.allocate(24), -1)
  controller.attach(eight + 3, note)
  controller.free(eight, 8)
  t.is(controller.attachments, 0)
  t.is(controller.allocate(8, 8), eight)
  t.is(controller.allocated, 9)
})

test('what is not an interrupt is refused', (t) => {
  const { controller, note } = setup()
  t.throws(() => controller.attach(10, note), { message: /interrupt 10 is neither/ })
  t.throws(() => controller.assert(10), { instanceOf: RangeError })
  t.throws(() => controller.message(1), { instanceOf: RangeError })
  t.throws(() => controller.free(1, 1), { instanceOf: RangeError })
})
