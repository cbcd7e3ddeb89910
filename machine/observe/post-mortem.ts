/**
 * Post-mortem records: what a driver, its domain and its devices were at the moment it failed, and how to get there again.
 *
 * The kernel's part is `examine`; here come the driver's package, its devices with their registers by name, its units
 * and its last words. Plain data, ready to be written as JSON.
 */
import type { DriverFault } from '../../kernel/fault.ts'
export { describeRecord } from '../../kernel/log.ts'
import { type DomainRecord, examine } from '../../kernel/post-mortem.ts'
import type { DmaFault } from '../../hw/iommu.ts'
import type { PciFunction } from '../../hw/pci/function.ts'
import type { RegisterValue } from '../../hw/types.ts'
import type { Board, LogRecord } from '../board.ts'
import type { Unit } from '../class/device-class.ts'
import type { Driver } from '../driver.ts'

export interface DeviceRecord {
  readonly model: string
  readonly location: string
  /** Registers the model knows by name, as they were. */
  readonly registers: readonly RegisterValue[]
  /** First 64 bytes of configuration space, hex. */
  readonly config: string
  readonly dma: { readonly windows: number; readonly bytes: number; readonly faults: readonly DmaFault[] }
  readonly vectors: number
}

export interface PostMortem {
  readonly schema: 'drvport.post-mortem/1'
  readonly driver: string
  readonly generation: number
  readonly package: { readonly tree: string; readonly version: string; readonly sha256: string }
  readonly fault: DriverFault
  readonly domain: DomainRecord
  readonly devices: readonly DeviceRecord[]
  /** What it offered to clients, as each class keeps it. */
  readonly interfaces: readonly ReturnType<Unit['record']>[]
  /** What the driver said last. */
  readonly log: readonly LogRecord[]
  /** Failures of this driver before this one. */
  readonly earlier: readonly { readonly atNs: number; readonly kind: string; readonly domain: string }[]
  readonly replay: {
    readonly seed: number
    /** Event of the run at which it failed, and the running hash there. */
    readonly event: number
    readonly eventHash: string
    /** The command that comes here again, where there is one: it replays to the event, or makes the whole run. */
    readonly command?: string
  }
}

const LOG_LINES = 40
const CONFIG_BYTES = 64

const hexByte = (byte: number): string => (byte & 0xff).toString(16).padStart(2, '0')

export function deviceRecord(fn: PciFunction): DeviceRecord {
  return {
    model: fn.device.model,
    location: fn.name,
    registers: fn.device.view?.values() ?? [],
    config: Array.from({ length: CONFIG_BYTES }, (_, at) => hexByte(fn.configRead(at, 1))).join(''),
    dma: { windows: fn.dma.windows, bytes: fn.dma.mappedBytes, faults: [...fn.dma.faults] },
    vectors: fn.vectorCount,
  }
}

/** What a domain logged last: found from the end, for the log is of everybody. */
function lastWords(log: readonly LogRecord[], domain: string): LogRecord[] {
  const words: LogRecord[] = []
  for (let i = log.length - 1; i >= 0 && words.length < LOG_LINES; i--)
    if (log[i]!.domain === domain) words.push(log[i]!)
  return words.toReversed()
}

/** Write down a driver that has just failed and holds everything still. */
export function postMortem(
  board: Board,
  driver: Driver,
  fault: DriverFault,
  earlier: readonly DriverFault[],
  againAt?: (event: number) => string,
): PostMortem {
  const domain = examine(driver.domain, fault)
  const { name, tree, wasm } = driver.pack.manifest
  return {
    schema: 'drvport.post-mortem/1',
    driver: name,
    generation: driver.generation,
    package: { tree: tree.name, version: tree.version, sha256: wasm.sha256 },
    fault,
    domain,
    devices: [...driver.devices.values()].map(deviceRecord),
    interfaces: driver.units.map((unit) => unit.record()),
    log: lastWords(board.log, driver.name),
    earlier: earlier.map(({ atNs, kind, domain: of }) => ({ atNs, kind, domain: of })),
    replay: {
      seed: board.kernel.seed,
      event: domain.event,
      eventHash: domain.eventHash,
      ...(againAt === undefined ? {} : { command: againAt(domain.event) }),
    },
  }
}
