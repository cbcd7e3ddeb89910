/** Every class that the laboratory can exercise: the one list, their device models by name, and their worlds in one machine. */
import { passiveScore } from '../kernel/registry.ts'
import type { Manifest } from '../pipeline/package.ts'
import { idTables } from '../machine/linux/personality.ts'
import type { Machine } from '../machine/machine.ts'
import type { ClassLab, DeviceModel, World } from './class-lab.ts'
import { netLab, type NetOptions } from './net/index.ts'

/** What a request may say to the classes. */
export type LabOptions = NetOptions

const LABS: readonly ClassLab<World, LabOptions>[] = [netLab]

/** Models of all classes. */
export const DEVICE_MODELS: readonly DeviceModel[] = LABS.flatMap(({ models }) => models)

/** The model of this name. */
export const modelNamed = (name: string): DeviceModel | undefined => DEVICE_MODELS.find((model) => model.name === name)

/** For messages: the names `run MODULE=DEVICE` takes. */
export const describeDevices = (): string => DEVICE_MODELS.map(({ name }) => name).join(', ')

/** Models a package's id table names, those that it names most closely first. */
export function modelsFor(manifest: Manifest): DeviceModel[] {
  const tables = idTables(manifest).filter((table) => table.class === 'pci')
  const score = ({ vendor, device, classCode }: DeviceModel): number =>
    Math.max(0, ...tables.map(({ any }) => passiveScore(any, { vendor, device, class: classCode })))
  return DEVICE_MODELS.filter((model) => score(model) > 0).toSorted((a, b) => score(b) - score(a))
}

const labOf = (model: DeviceModel): ClassLab<World, LabOptions> => LABS.find(({ models }) => models.includes(model))!

/** What a driver of this device offers, for people. */
export const nounOf = (model: DeviceModel | undefined): string => (model === undefined ? 'unit' : labOf(model).noun)

/** The worlds of one machine. */
export class Worlds {
  readonly #worlds: ReadonlyMap<unknown, World>

  constructor(machine: Machine, options: LabOptions) {
    this.#worlds = new Map(LABS.map((lab) => [lab, lab.open(machine, options)]))
  }

  get all(): readonly World[] {
    return [...this.#worlds.values()]
  }

  of<W extends World>(lab: ClassLab<W, LabOptions>): W {
    return this.#worlds.get(lab) as W
  }

  /** Where a device of this model is plugged in. */
  with(model: DeviceModel): World {
    return this.#worlds.get(labOf(model))!
  }
}
