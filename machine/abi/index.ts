/**
 * Every call group of the driver ABI that the machine offers: the one list. A group is a file here; that of a device class
 * comes with its class.
 */
import { CLASSES } from '../class/index.ts'
import { call } from './call.ts'
import { cap } from './cap.ts'
import { dma } from './dma.ts'
import type { AbiGroup } from './group.ts'
import { ipc } from './ipc.ts'
import { irq } from './irq.ts'
import { log } from './log.ts'
import { mem } from './mem.ts'
import { mmio } from './mmio.ts'
import { pci } from './pci.ts'
import { pio } from './pio.ts'
import { ring } from './ring.ts'
import { sched } from './sched.ts'
import { time } from './time.ts'
import { FILES } from './wasi.ts'

const ofClasses = CLASSES.map((one): AbiGroup => ({ ...one, calls: (host) => host.board.services.of(one).calls(host) }))

export const ABI_GROUPS: readonly AbiGroup[] = [
  log,
  mmio,
  pio,
  pci,
  dma,
  irq,
  time,
  sched,
  call,
  ...ofClasses,
  ipc,
  cap,
  mem,
  ring,
]

/** Call group to type of the capability behind it, where one is. */
export const AUTHORITIES: ReadonlyMap<string, string> = new Map(
  [...ABI_GROUPS, FILES].flatMap(({ name, authority }) => (authority === undefined ? [] : [[name, authority]])),
)
