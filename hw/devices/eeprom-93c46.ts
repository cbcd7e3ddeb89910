/**
 * A 93C46 serial EEPROM: 64 words of 16 bits on a three-wire (Microwire) interface, driven pin by pin.
 *
 * After chip select a start bit, two bits of opcode and six of address are clocked in on rising edges of SK. A read
 * shifts out a 0 and then the word, most significant bit first, and goes on with the next word. A write takes 16 bits
 * more; writing must have been enabled (EWEN). Writing takes no time here: DO is high (ready) at once.
 */

const WORDS = 64
const ADDRESS_BITS = 6
const COMMAND_BITS = 2 + ADDRESS_BITS
const DATA_BITS = 16

const OP_EXTENDED = 0
const OP_WRITE = 1
const OP_READ = 2
const OP_ERASE = 3
/** Top two address bits of the extended opcode. */
const EWDS = 0
const WRAL = 1
const ERAL = 2
const EWEN = 3

type Phase = 'start' | 'command' | 'data' | 'output' | 'done'

export interface Eeprom {
  readonly words: Uint16Array
  /** New levels on the chip's inputs. */
  pins(select: boolean, clock: boolean, dataIn: boolean): void
  /** Level of DO; high when the chip does not drive it. */
  readonly dataOut: boolean
}

/** An EEPROM with these words; the array is the chip's contents and is written in place. */
export const createEeprom93c46 = (words: Uint16Array): Eeprom => {
  if (words.length !== WORDS) throw new RangeError(`a 93C46 has ${WORDS} words, got ${words.length}`)
  let phase: Phase = 'start'
  let selected = false
  let clocked = false
  let shift = 0
  let bits = 0
  let opcode = 0
  let address = 0
  let writable = false
  let dataOut = true

  const begin = (next: Phase): void => {
    phase = next
    shift = 0
    bits = 0
  }

  /** The command is complete. */
  const execute = (): void => {
    opcode = shift >> ADDRESS_BITS
    address = shift & (WORDS - 1)
    if (opcode === OP_READ) {
      begin('output')
      dataOut = false
      return
    }
    const extended = opcode === OP_EXTENDED ? address >> (ADDRESS_BITS - 2) : -1
    if (opcode === OP_WRITE || extended === WRAL) return begin('data')
    if (extended === EWEN) writable = true
    if (extended === EWDS) writable = false
    if (writable && opcode === OP_ERASE) words[address] = 0xffff
    if (writable && extended === ERAL) words.fill(0xffff)
    begin('done')
  }

  const store = (): void => {
    if (writable && opcode === OP_WRITE) words[address] = shift
    else if (writable) words.fill(shift)
    begin('done')
  }

  const rise = (bit: number): void => {
    if (phase === 'start') {
      if (bit) begin('command')
      return
    }
    if (phase === 'output') {
      dataOut = ((words[address]! >> (DATA_BITS - 1 - bits)) & 1) !== 0
      if (++bits < DATA_BITS) return
      bits = 0
      address = (address + 1) % WORDS
      return
    }
    if (phase === 'done') return
    shift = (shift << 1) | bit
    bits++
    if (phase === 'command' && bits === COMMAND_BITS) execute()
    else if (phase === 'data' && bits === DATA_BITS) store()
  }

  return {
    words,
    pins: (select, clock, dataIn) => {
      if (!select || !selected) {
        begin('start')
        dataOut = true
      } else if (clock && !clocked) rise(dataIn ? 1 : 0)
      selected = select
      clocked = clock
    },
    get dataOut() {
      return dataOut
    },
  }
}
