/**
 * A machine to which things are done step by step: devices come and go, drivers are loaded and unloaded, time passes. What
 * `drvport ioreg` does, without printing.
 */
import type { PciFunction } from '../hw/pci/function.ts'
import type { PciIdentity } from '../hw/types.ts'
import type { DeviceModel } from './class-lab.ts'
import { DEVICE_MODELS, modelNamed, Worlds } from './classes.ts'
import { I2C_BUS_MODELS, I2C_MODELS, type I2cBusModel, type I2cModel } from './i2c.ts'
import { identified } from './identity.ts'
import { DriverEnded, InitRefused, isClean, leftList } from '../machine/driver.ts'
import { errnoName } from '../machine/linux/errno.ts'
import { watchRegistry, type IoregDocument, type Shown } from '../machine/tree/ioreg.ts'
import { createMachine, type Machine, type MachineOptions } from '../machine/machine.ts'
import type { DriverPackage } from '../machine/load/package.ts'

export interface DeviceSpec {
  readonly model: DeviceModel | I2cBusModel
  readonly identity: Partial<PciIdentity>
  /** Devices on its I2C bus. */
  readonly targets: readonly { readonly model: I2cModel; readonly address: number }[]
}

export type Step =
  | { readonly do: 'plug'; readonly device: DeviceSpec }
  | { readonly do: 'unplug'; readonly location: string }
  | { readonly do: 'load' | 'unload'; readonly module: string }
  | { readonly do: 'show'; readonly module: string; readonly path: string }
  | { readonly do: 'sleep'; readonly ms: number }

/** How a step is written, for messages. */
export const STEPS =
  'plug:DEVICE[,FIELD=NUMBER][,SENSOR@ADDRESS], unplug:LOCATION, load:MODULE, unload:MODULE, show:MODULE/CLASS/DEVICE/ATTRIBUTE, sleep:MS'

const FIELDS: Readonly<Record<string, keyof PciIdentity>> = {
  vendor: 'vendor',
  device: 'device',
  subvendor: 'subsystemVendor',
  subdevice: 'subsystemDevice',
  class: 'classCode',
  revision: 'revision',
}

const ADDRESS_MAX = 0x77

const isBus = (model: DeviceModel): model is I2cBusModel => (I2C_BUS_MODELS as readonly unknown[]).includes(model)

/** For messages: the names `ioreg --plug DEVICE` takes. */
export const describePlugs = (): string =>
  [...DEVICE_MODELS, ...I2C_BUS_MODELS].map(({ name }) => name).join(', ') +
  `; on an SMBus: ${I2C_MODELS.map(({ name }) => `${name}@ADDRESS`).join(', ')}`

/** `rtl8139,revision=0x20`, `amd-8111-smbus,lm75@0x48`. Undefined when it cannot be read. */
export function parseDevice(text: string): DeviceSpec | undefined {
  const [name, ...fields] = text.split(',')
  const model = modelNamed(name!) ?? I2C_BUS_MODELS.find((host) => host.name === name)
  const identity: Partial<Record<keyof PciIdentity, number>> = {}
  const targets: { model: I2cModel; address: number }[] = []
  for (const field of fields) {
    const [key, separator, value, ...rest] = field.split(/([=@])/)
    const number = Number(value)
    if (value === undefined || value === '' || rest.length > 0 || !Number.isSafeInteger(number) || number < 0)
      return undefined
    const member = Object.hasOwn(FIELDS, key!) ? FIELDS[key!] : undefined
    const target = I2C_MODELS.find((one) => one.name === key)
    if (separator === '=' && member !== undefined) identity[member] = number
    else if (separator === '@' && target !== undefined && number <= ADDRESS_MAX)
      targets.push({ model: target, address: number })
    else return undefined
  }
  if (model === undefined || (targets.length > 0 && !isBus(model))) return undefined
  return { model, identity, targets }
}

/** Put a device into the machine. */
export function plug({ model, identity, targets }: DeviceSpec, machine: Machine, worlds: Worlds): PciFunction {
  if (!isBus(model)) return worlds.with(model).plug(model, identity).fn
  const { pci, nubs } = machine.board
  const fn = pci.plug((context) => {
    const device = model.make(context)
    for (const target of targets) device.bus.targets.set(target.address, target.model.make(context.timeline))
    return identified(device, identity)
  })
  nubs.describe(
    fn,
    targets.map(({ address, model: { name } }) => ({ bus: 0, address, name })),
  )
  return fn
}

/** One step as it is written on the command line. Undefined when it cannot be read. */
export function parseStep(text: string): Step | undefined {
  const [verb, ...rest] = text.split(':')
  const what = rest.join(':')
  if (what === '') return undefined
  if (verb === 'plug') {
    const device = parseDevice(what)
    return device && { do: 'plug', device }
  }
  if (verb === 'unplug') return { do: 'unplug', location: what }
  if (verb === 'load' || verb === 'unload') return { do: verb, module: what }
  if (verb === 'show' && what.includes('/')) {
    const at = what.indexOf('/')
    return { do: 'show', module: what.slice(0, at), path: what.slice(at + 1) }
  }
  if (verb === 'sleep' && Number(what) >= 0) return { do: 'sleep', ms: Number(what) }
  return undefined
}

export interface StageReport {
  readonly document: IoregDocument
  /** What went wrong: a step that could not be done, a driver that left something, a fault. */
  readonly problems: readonly string[]
}

/** Do the steps in order; after each, devices and drivers find each other and restarts are made. */
export async function perform(
  steps: readonly Step[],
  packs: ReadonlyMap<string, DriverPackage>,
  options: MachineOptions,
): Promise<StageReport> {
  const machine = createMachine(options)
  const document = watchRegistry(machine)
  const worlds = new Worlds(machine, {})
  const problems: string[] = []
  const shown: Shown[] = []
  for (const step of steps) {
    const problem = await one(step, machine, worlds, packs, shown)
    if (problem !== undefined) problems.push(problem)
    await machine.sleep(step.do === 'sleep' ? step.ms * 1e6 : 0)
    options.signal?.throwIfAborted()
  }
  problems.push(...machine.faults.map(({ domain, kind, message }) => `${domain}: ${kind}: ${message}`))
  return { document: { ...document(), ...(shown.length > 0 && { shown }) }, problems }
}

/** Do one; says what is wrong with it. */
async function one(
  step: Step,
  machine: Machine,
  worlds: Worlds,
  packs: ReadonlyMap<string, DriverPackage>,
  shown: Shown[],
): Promise<string | undefined> {
  try {
    if (step.do === 'plug') plug(step.device, machine, worlds)
    else if (step.do === 'unplug') return unplug(step.location, machine)
    else if (step.do === 'load') await machine.load(packs.get(step.module)!)
    else if (step.do === 'show') return await show(step, packs.get(step.module)!.manifest.name, machine, shown)
    else if (step.do === 'unload') return await unload(packs.get(step.module)!.manifest.name, machine)
  } catch (error) {
    if (error instanceof InitRefused) return `${step.do}: init returned ${errnoName(error.code)}`
    // The fault itself is in the machine's list.
    if (!(error instanceof DriverEnded)) throw error
  }
  return undefined
}

function unplug(location: string, machine: Machine): string | undefined {
  const { pci } = machine.board
  const fn = pci.functions.find(({ name }) => name === location || name === `0000:${location}`)
  if (fn === undefined) return `unplug: nothing is at ${location}`
  pci.unplug(fn)
  return undefined
}

async function show(
  { path }: Step & { do: 'show' },
  module: string,
  machine: Machine,
  shown: Shown[],
): Promise<string | undefined> {
  const driver = machine.driver(module)
  if (driver === undefined) return `show: ${module} is not loaded`
  const value = await driver.attribute(path)
  if (typeof value === 'number') return `show: ${path} of ${module}: ${errnoName(value)}`
  shown.push({ module, path, value: value.trimEnd() })
  return undefined
}

async function unload(name: string, machine: Machine): Promise<string | undefined> {
  if (machine.driver(name) === undefined) return `unload: ${name} is not loaded`
  const left = await machine.unload(name)
  return isClean(left) ? undefined : `unload of ${name} left ${leftList(left)}`
}
