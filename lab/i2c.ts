/** Buses that no class is on: masters of an I2C or SMBus, and devices on them. */
import { amd8111Smbus } from '../hw/devices/amd-8111-smbus.ts'
import { lm75 } from '../hw/devices/lm75.ts'
import type { Timeline } from '../base/timeline.ts'
import type { I2cBus, I2cTarget } from '../hw/i2c.ts'
import type { DeviceContext, PciDevice } from '../hw/types.ts'
import type { DeviceModel } from './class-lab.ts'

/** Master of an I2C or SMBus with devices on it. */
export interface I2cBusModel extends DeviceModel {
  make(context: DeviceContext): PciDevice & { readonly bus: I2cBus }
}

/** A device on an I2C or SMBus. */
export interface I2cModel {
  readonly name: string
  make(timeline: Timeline): I2cTarget
}

const SMBUS = 0x0c0500

export const I2C_BUS_MODELS: readonly I2cBusModel[] = [
  { name: 'amd-8111-smbus', vendor: 0x1022, device: 0x746a, classCode: SMBUS, make: amd8111Smbus },
]

export const I2C_MODELS: readonly I2cModel[] = [{ name: 'lm75', make: (timeline) => lm75(timeline) }]
