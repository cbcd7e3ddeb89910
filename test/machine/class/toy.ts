/** A class that is none: units which say what is asked of them, for what the machine does with any class. */
import type { ClassService, DeviceClass, DriverEntries, Tally, Unit } from '../../../machine/class/device-class.ts'

export class ToyUnit implements Unit {
  readonly name: string
  driver: DriverEntries | undefined
  readonly counters: Tally = {}
  /** What was asked, in order, of all units that share the list. */
  readonly asked: string[]
  /** Since when its clients wait; undefined: they do not. */
  waitingSinceNs: number | undefined

  constructor(name: string, asked: string[]) {
    this.name = name
    this.asked = asked
  }

  hold(): void {
    this.asked.push(`${this.name} held`)
  }
  handOver(): Promise<Tally> {
    this.asked.push(`${this.name} handed over`)
    return Promise.resolve({ done: 3 })
  }
  release(): Tally {
    this.asked.push(`${this.name} released`)
    return { kept: 2 }
  }
  replay(): Promise<void> {
    this.asked.push(`${this.name} replayed on ${this.driver?.domain.name}`)
    return Promise.resolve()
  }
  stalled(nowNs: number, patienceNs: number): string | undefined {
    if (this.waitingSinceNs === undefined || nowNs - this.waitingSinceNs <= patienceNs) return undefined
    return `${this.name} serves nobody`
  }
  record(): Readonly<Record<string, unknown>> {
    return { name: this.name }
  }
}

export class ToyService implements ClassService {
  readonly units: ToyUnit[] = []
  calls(): never {
    throw new Error('it has no calls')
  }
}

export const toyClass = (): DeviceClass<ToyService> => ({
  name: 'ring',
  authority: 'toy',
  trace: 'toys',
  traced: { what: 'toys', kinds: [] },
  open: () => new ToyService(),
})
