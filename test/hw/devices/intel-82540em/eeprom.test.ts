import test from 'ava'
import { EEPROM_SUM, EEPROM_WORDS } from '../../../../hw/devices/intel-82540em/eeprom.ts'
import { MAC, R, setUp, type Bench } from './support.ts'

/** Bit-bang access to the Microwire part, step by step as the part's data sheet draws it. */
const microwire = ({ read, write, wait }: Bench) => {
  const set = (clear: number, bits: number): void => {
    write(R.EECD, (read(R.EECD) & ~clear) | bits)
    wait(50_000)
  }
  const clock = (): void => {
    set(0, R.EECD_SK)
    set(R.EECD_SK, 0)
  }
  const shiftOut = (value: number, bits: number): void => {
    for (let i = bits - 1; i >= 0; i--) {
      set(R.EECD_DI, (value >> i) & 1 ? R.EECD_DI : 0)
      clock()
    }
    set(R.EECD_DI, 0)
  }
  const shiftIn = (bits: number): number => {
    let value = 0
    for (let i = 0; i < bits; i++) {
      set(0, R.EECD_SK)
      value = (value << 1) | (read(R.EECD) & R.EECD_DO ? 1 : 0)
      set(R.EECD_SK, 0)
    }
    return value
  }
  const standby = (): void => {
    set(R.EECD_CS | R.EECD_SK, 0)
    set(0, R.EECD_SK)
    set(0, R.EECD_CS)
    set(R.EECD_SK, 0)
  }
  const acquire = (): void => {
    set(0, R.EECD_REQ)
    set(R.EECD_DI | R.EECD_SK, 0)
    set(0, R.EECD_CS)
  }
  const release = (): void => {
    set(R.EECD_CS | R.EECD_DI, 0)
    clock()
    set(R.EECD_REQ, 0)
  }
  return { shiftOut, shiftIn, standby, acquire, release }
}

const readWord = (bench: Bench, address: number): number => {
  const bus = microwire(bench)
  bus.acquire()
  bus.shiftOut(0b110, 3)
  bus.shiftOut(address, 6)
  const word = bus.shiftIn(16)
  bus.standby()
  bus.release()
  return word
}

const writeWord = (bench: Bench, address: number, value: number, enable = true): boolean => {
  const bus = microwire(bench)
  bus.acquire()
  if (enable) {
    bus.shiftOut(0b10011, 5)
    bus.shiftOut(0, 4)
    bus.standby()
  }
  bus.shiftOut(0b101, 3)
  bus.shiftOut(address, 6)
  bus.shiftOut(value, 16)
  bus.standby()
  let ready = false
  for (let i = 0; i < 200 && !ready; i++) {
    ready = (bench.read(R.EECD) & R.EECD_DO) !== 0
    bench.wait(50_000)
  }
  bus.standby()
  bus.shiftOut(0b10000, 5)
  bus.shiftOut(0, 4)
  bus.release()
  return ready
}

test('EECD: present, 64 words, and granted as soon as it is asked for', (t) => {
  const { read, write } = setUp()
  t.is(read(R.EECD) & (R.EECD_PRES | (1 << 9) | R.EECD_GNT), R.EECD_PRES)
  write(R.EECD, read(R.EECD) | R.EECD_REQ)
  t.is(read(R.EECD) & R.EECD_GNT, R.EECD_GNT)
  write(R.EECD, read(R.EECD) & ~R.EECD_REQ)
  t.is(read(R.EECD) & R.EECD_GNT, 0)
})

test('bit by bit, the first three words are the station address', (t) => {
  const bench = setUp()
  for (let i = 0; i < 3; i++) t.is(readWord(bench, i), MAC[2 * i]! | (MAC[2 * i + 1]! << 8))
})

test('bit by bit, all words add up to 0xBABA', (t) => {
  const bench = setUp()
  let sum = 0
  for (let i = 0; i < EEPROM_WORDS; i++) sum += readWord(bench, i)
  t.is(sum & 0xffff, EEPROM_SUM)
})

test('reading on goes to the next word', (t) => {
  const bench = setUp()
  const bus = microwire(bench)
  bus.acquire()
  bus.shiftOut(0b110, 3)
  bus.shiftOut(0, 6)
  t.deepEqual([bus.shiftIn(16), bus.shiftIn(16)], [0x5452, 0x1200])
})

test('pins do nothing without a grant', (t) => {
  const bench = setUp()
  const { shiftOut, shiftIn } = microwire(bench)
  bench.write(R.EECD, R.EECD_CS)
  shiftOut(0b110, 3)
  shiftOut(0, 6)
  t.is(shiftIn(16), 0xffff)
})

test('a write takes effect after EWEN, and shows ready', (t) => {
  const bench = setUp()
  t.true(writeWord(bench, 0x10, 0x1234))
  t.is(readWord(bench, 0x10), 0x1234)
})

test('a write without EWEN changes nothing', (t) => {
  const bench = setUp()
  const before = readWord(bench, 0x10)
  writeWord(bench, 0x10, 0x1234, false)
  t.is(readWord(bench, 0x10), before)
})

test('EERD reads a word, done after a while', (t) => {
  const { read, write, wait } = setUp()
  write(R.EERD, (1 << 8) | R.EERD_START)
  t.is(read(R.EERD) & R.EERD_DONE, 0)
  wait(100_000)
  t.is(read(R.EERD) & R.EERD_DONE, R.EERD_DONE)
  t.is(read(R.EERD) >>> 16, 0x1200)
})
