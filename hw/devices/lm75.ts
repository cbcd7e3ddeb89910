/**
 * National Semiconductor LM75: a temperature sensor with four registers behind a pointer on an I2C bus.
 *
 * Source: LM75 data sheet (DS012658), "Serial Bus Interface" and "Registers". Nine bits of temperature in half degrees, most
 * significant byte first. The pointer keeps its value between transfers. A conversion takes 100 ms; in shutdown there is
 * none.
 */
import type { I2cTarget } from '../i2c.ts'
import type { Timeline } from '../../base/timeline.ts'

const TEMPERATURE = 0
const CONFIGURATION = 1
const HYSTERESIS = 2
const OVERTEMPERATURE = 3

const SHUTDOWN = 1
const CONVERSION_NS = 100e6
/** 75 and 80 degrees Celsius. */
const HYSTERESIS_RESET = 75 << 8
const OVERTEMPERATURE_RESET = 80 << 8
/** Nine bits of sixteen. */
const USED = 0xff80

export interface Lm75 extends I2cTarget {
  /** What it is exposed to, thousandths of a degree Celsius. */
  milliCelsius: number
}

/** Half degrees in the upper nine bits. */
const encode = (milliCelsius: number): number => (Math.round(milliCelsius / 500) << 7) & USED

export function lm75(timeline: Timeline, milliCelsius = 25_000): Lm75 {
  const registers = [encode(milliCelsius), 0, HYSTERESIS_RESET, OVERTEMPERATURE_RESET]
  let pointer = 0
  let position = 0
  let convertedNs = 0
  let pointed = false
  const device: Lm75 = {
    model: 'lm75',
    milliCelsius,
    start: (read) => {
      position = 0
      pointed = read
      const now = timeline.now()
      if ((registers[CONFIGURATION]! & SHUTDOWN) !== 0 || now - convertedNs < CONVERSION_NS) return
      convertedNs = now
      registers[TEMPERATURE] = encode(device.milliCelsius)
    },
    write: (byte) => {
      if (!pointed) {
        pointer = byte & 3
        pointed = true
        return true
      }
      if (pointer === CONFIGURATION) registers[CONFIGURATION] = byte & 0x1f
      else if (pointer === HYSTERESIS || pointer === OVERTEMPERATURE) {
        const word = registers[pointer]!
        registers[pointer] = (position === 0 ? (byte << 8) | (word & 0xff) : (word & 0xff00) | byte) & USED
      }
      position ^= 1
      return true
    },
    read: () => {
      if (pointer === CONFIGURATION) return registers[CONFIGURATION]!
      const word = registers[pointer]!
      position ^= 1
      return position === 1 ? word >> 8 : word & 0xff
    },
  }
  return device
}
