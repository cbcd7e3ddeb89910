/** Every device class: the one list, and the classes of one machine. */
import type { Kernel } from '../../kernel/kernel.ts'
import type { ClassService, DeviceClass, DriverEntries, Unit } from './device-class.ts'
import { net } from './net/index.ts'

export const CLASSES: readonly DeviceClass[] = [net]

/** The classes in one machine. */
export class ClassServices {
  readonly #services: ReadonlyMap<DeviceClass, ClassService>

  constructor(kernel: Kernel, classes: readonly DeviceClass[] = CLASSES) {
    this.#services = new Map(classes.map((one) => [one, one.open(kernel)]))
  }

  of<S extends ClassService>(one: DeviceClass<S>): S {
    return this.#services.get(one) as S
  }

  /** What a driver offers now, of every class. */
  unitsOf(driver: DriverEntries): Unit[] {
    return [...this.#services.values()].flatMap(({ units }) => units.filter((unit) => unit.driver === driver))
  }
}
