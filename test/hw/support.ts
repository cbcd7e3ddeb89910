/** A small virtual clock, a seeded random source and a plugged device, for tests of the hardware alone. */

import { createInterruptController } from '../../hw/interrupts.ts'
import type { InterruptController } from '../../hw/interrupts.ts'
import type { DmaFault, MemoryBank } from '../../hw/iommu.ts'
import { memoryBank } from '../../hw/iommu.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import { createPciBus } from '../../hw/pci/bus.ts'
import type { PciBus } from '../../hw/pci/bus.ts'
import type { Timeline, TimelineEvent } from '../../base/timeline.ts'
import type { Random } from '../../base/random.ts'
import type { PciDeviceFactory } from '../../hw/types.ts'

export interface TestTimeline extends Timeline {
  /** Run what is due up to a time this long from now, and stop there. */
  advance(ns: number): void
  /** Run events until none is armed, or the limit is reached. */
  settle(limitNs?: number): void
  /** Events fired so far. */
  fired(): number
}

/** Events in order of time, then of arming. */
export const testTimeline = (): TestTimeline => {
  type Armed = { at: number; order: number; fire: () => void }
  const queue: Armed[] = []
  let now = 0
  let order = 0
  let fired = 0

  const next = (until: number): Armed | undefined => {
    let first: Armed | undefined
    for (const entry of queue)
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) first = entry
    return first && first.at <= until ? first : undefined
  }

  const run = (until: number): void => {
    for (let due = next(until); due; due = next(until)) {
      queue.splice(queue.indexOf(due), 1)
      now = Math.max(now, due.at)
      fired++
      due.fire()
    }
  }

  const event = (name: string, fire: () => void): TimelineEvent => {
    const entry: Armed = { at: 0, order: 0, fire }
    const disarm = (): void => {
      if (queue.includes(entry)) queue.splice(queue.indexOf(entry), 1)
    }
    const armAt = (at: number): void => {
      if (!Number.isInteger(at)) throw new TypeError(`${name} armed at ${at}: not a whole number of ns`)
      disarm()
      entry.at = Math.max(at, now)
      entry.order = order++
      queue.push(entry)
    }
    return {
      name,
      get armed() {
        return queue.includes(entry)
      },
      armAt,
      armIn: (ns) => armAt(now + ns),
      disarm,
    }
  }

  const advance = (ns: number): void => {
    const until = now + ns
    run(until)
    now = until
  }
  return { now: () => now, event, advance, fired: () => fired, settle: (limitNs = 60e9) => run(now + limitNs) }
}

/** mulberry32. */
export const testRandom = (seed = 1): Random => {
  let state = seed >>> 0
  return {
    below: (bound) => {
      state = (state + 0x6d2b79f5) >>> 0
      let t = Math.imul(state ^ (state >>> 15), state | 1)
      t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
      return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * bound)
    },
  }
}

export interface TestBoard {
  readonly timeline: TestTimeline
  readonly random: Random
  readonly interrupts: InterruptController
  readonly host: PciBus
  readonly faults: DmaFault[]
  readonly log: string[]
  /** A megabyte of memory to map windows of. */
  readonly memory: MemoryBank
}

export const testBoard = (seed = 1): TestBoard => {
  const timeline = testTimeline()
  const random = testRandom(seed)
  const interrupts = createInterruptController()
  const faults: DmaFault[] = []
  const log: string[] = []
  const host = createPciBus({
    timeline,
    random,
    interrupts,
    trace: (text) => log.push(`${timeline.now()} ${text}`),
    onDmaFault: (_fn, fault) => faults.push(fault),
  })
  return { timeline, random, interrupts, host, faults, log, memory: memoryBank(new ArrayBuffer(1 << 20)) }
}

/** Plug a device in with decoding and bus mastering on. */
export const plugOn = <Options>(board: TestBoard, make: PciDeviceFactory<Options>, options: Options): PciFunction => {
  const fn = board.host.plug((context) => make(context, options))
  fn.configWrite(0x04, 2, 7)
  return fn
}
