import test from 'ava'
import { MS, R, setUp } from './support.ts'

const withPin = () => {
  const bench = setUp()
  const { board, fn } = bench
  const line = fn.configRead(0x3c, 1)
  return { ...bench, pin: () => board.interrupts.asserted(line) }
}

test('ICS sets causes, ICR shows and clears them all', (t) => {
  const { read, write } = withPin()
  write(R.ICS, 0x94)
  t.is(read(R.ICR), 0x94)
  t.is(read(R.ICR), 0)
})

test('the pin follows cause and mask', (t) => {
  const { read, write, pin } = withPin()
  write(R.ICS, R.ICR_RXT0)
  t.false(pin())
  write(R.IMS, R.ICR_RXT0 | R.ICR_LSC)
  t.true(pin())
  write(R.IMC, R.ICR_RXT0)
  t.false(pin())
  t.is(read(R.IMS), R.ICR_LSC)
  write(R.IMS, R.ICR_RXT0)
  t.true(pin())
  read(R.ICR)
  t.false(pin())
})

test('IMS only sets, IMC only clears, and both read back without them', (t) => {
  const { read, write } = withPin()
  write(R.IMS, 0x01)
  write(R.IMS, 0x80)
  t.is(read(R.IMS), 0x81)
  write(R.IMC, 0xffffffff)
  t.is(read(R.IMS), 0)
  t.is(read(R.IMC), 0)
  t.is(read(R.ICS), 0)
})

test('a write to ICR clears the causes written', (t) => {
  const { read, write } = withPin()
  write(R.ICS, 0x85)
  write(R.ICR, 0x80)
  t.is(read(R.ICR), 0x05)
})

test('every one of the low fifteen causes can be set, enabled and seen', (t) => {
  const { read, write, pin } = withPin()
  for (let i = 0; i < 15; i++) {
    write(R.IMC, 0xffffffff)
    write(R.IMS, 1 << i)
    write(R.ICS, 1 << i)
    t.true(pin(), `cause ${i}`)
    t.is(read(R.ICR), 1 << i)
    t.false(pin())
  }
})

test('ITR keeps assertions apart by its interval', (t) => {
  const { read, write, pin, board } = withPin()
  write(R.IMS, R.ICR_RXT0)
  write(R.ITR, 195)
  write(R.ICS, R.ICR_RXT0)
  const first = board.timeline.now()
  t.true(pin())
  read(R.ICR)
  write(R.ICS, R.ICR_RXT0)
  t.false(pin())
  board.timeline.advance(first + 195 * 256 - board.timeline.now() - 1)
  t.false(pin())
  board.timeline.advance(1)
  t.true(pin())
})

test('a throttled cause that is read away in time never interrupts', (t) => {
  const { read, write, pin, wait } = withPin()
  write(R.IMS, R.ICR_RXT0)
  write(R.ITR, 195)
  write(R.ICS, R.ICR_RXT0)
  read(R.ICR)
  write(R.ICS, R.ICR_RXT0)
  read(R.ICR)
  wait(MS)
  t.false(pin())
})

test('reset masks everything and drops the pin', (t) => {
  const { read, write, pin } = withPin()
  write(R.IMS, 0xff)
  write(R.ICS, 0xff)
  t.true(pin())
  write(R.CTRL, read(R.CTRL) | R.CTRL_RST)
  t.false(pin())
  t.is(read(R.ICR), 0)
})

test('with MSI on, each assertion is one message and the pin stays low', (t) => {
  const { read, write, pin, fn, board } = withPin()
  const vector = fn.allocateVectors('msi', 1)
  let messages = 0
  const hold = board.interrupts.attach(vector, () => {
    if (!hold.begin()) return
    messages++
    hold.end()
  })
  write(R.IMS, R.ICR_RXT0 | R.ICR_LSC)
  write(R.ICS, R.ICR_RXT0)
  t.is(messages, 1)
  write(R.ICS, R.ICR_LSC)
  t.is(messages, 1, 'nothing new until the causes were read')
  read(R.ICR)
  write(R.ICS, R.ICR_LSC)
  t.is(messages, 2)
  t.false(pin())
})
