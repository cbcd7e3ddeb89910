/** The AMD-8111's SMBus controller with an LM75 behind it: one test per rule of the data sheets that a driver can see. */
import test from 'ava'
import { amd8111Smbus, type Amd8111Smbus } from '../../../hw/devices/amd-8111-smbus.ts'
import { lm75 } from '../../../hw/devices/lm75.ts'
import { testBoard } from '../support.ts'

const PRTCL = 0
const STS = 1
const ADDR = 2
const CMD = 3
const DATA = 4
const DONE = 0x80
const READ_WORD = 0x09
const WRITE_WORD = 0x08

function setup() {
  const board = testBoard()
  const sensor = lm75(board.timeline, 25_500)
  const fn = board.host.plug((context) => {
    const made = amd8111Smbus(context)
    made.bus.targets.set(0x48, sensor)
    return made
  })
  const bar = fn.bar(0)!
  const ec = (register: number): number => {
    bar.write(4, 1, 0x80)
    bar.write(0, 1, register)
    return bar.read(4, 1) & 1 ? bar.read(0, 1) : -1
  }
  const set = (register: number, value: number): void => {
    bar.write(4, 1, 0x81)
    bar.write(0, 1, register)
    bar.write(0, 1, value)
  }
  const transfer = (protocol: number, address: number, command: number): number => {
    set(CMD, command)
    set(ADDR, address << 1)
    set(PRTCL, protocol)
    board.timeline.advance(5e6)
    return ec(STS)
  }
  const word = (): number => (ec(DATA) << 8) | ec(DATA + 1)
  return { board, sensor, fn, chip: fn.device as Amd8111Smbus, bar, ec, set, transfer, word }
}

test('firmware leaves its ports on, also after it was taken away from a driver', (t) => {
  const { fn, bar } = setup()
  t.is(bar.read(4, 1), 0)
  fn.detach()
  t.is(bar.read(4, 1), 0)
})

test('output is full exactly until it is read', (t) => {
  const { bar } = setup()
  bar.write(4, 1, 0x80)
  bar.write(0, 1, ADDR)
  t.is(bar.read(4, 1), 1)
  bar.read(0, 1)
  t.is(bar.read(4, 1), 0)
})

test('a transfer is done when its bits have gone over the bus', (t) => {
  const { board, ec, set } = setup()
  set(ADDR, 0x48 << 1)
  set(PRTCL, READ_WORD)
  board.timeline.advance(300_000)
  t.is(ec(STS), 0)
  board.timeline.advance(400_000)
  t.is(ec(STS), DONE)
  t.is(ec(PRTCL), 0)
})

test('nobody at the address: not acknowledged; a protocol it does not have: unsupported', (t) => {
  const { transfer } = setup()
  t.is(transfer(READ_WORD, 0x49, 0), DONE | 0x10)
  t.is(transfer(READ_WORD | 0x80, 0x48, 0), DONE | 0x19)
  t.is(transfer(0x20, 0x48, 0), DONE | 0x19)
})

test('the sensor gives half degrees in the upper nine bits, most significant byte first', (t) => {
  const { transfer, word, sensor } = setup()
  t.is(transfer(READ_WORD, 0x48, 0), DONE)
  t.is(word(), 0x1980)
  sensor.milliCelsius = -500
  for (let i = 0; i < 25; i++) transfer(READ_WORD, 0x48, 0)
  t.is(word(), 0xff80)
})

test('limits have their reset values, and keep what is written of them', (t) => {
  const { transfer, word, set } = setup()
  transfer(READ_WORD, 0x48, 2)
  t.is(word(), 75 << 8)
  transfer(READ_WORD, 0x48, 3)
  t.is(word(), 80 << 8)
  set(DATA, 0x3d)
  set(DATA + 1, 0xff)
  t.is(transfer(WRITE_WORD, 0x48, 3), DONE)
  transfer(READ_WORD, 0x48, 3)
  t.is(word(), 0x3d80)
})

test('in shutdown nothing is converted', (t) => {
  const { transfer, word, sensor, set } = setup()
  transfer(READ_WORD, 0x48, 0)
  set(DATA, 1)
  transfer(0x06, 0x48, 1)
  sensor.milliCelsius = 60_000
  for (let i = 0; i < 50; i++) transfer(READ_WORD, 0x48, 0)
  t.is(word(), 0x1980)
})
