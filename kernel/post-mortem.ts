/**
 * What a domain was when it failed: everything of the kernel's that tells why, as plain data.
 *
 * Taken between the failure and the end, while the domain still holds what it held. Looks and changes nothing.
 */
import type { Domain, Remains } from './domain.ts'
import type { DriverFault, Frame } from './fault.ts'
import type { EventRecord } from './log.ts'
import { type Quotas, RESOURCES } from './quota.ts'

export interface FiberRecord {
  readonly id: number
  readonly name: string
  readonly state: string
  /** What it waits for in a conversation, when it does. */
  readonly wait?: string
  readonly priority: number
}

export interface CapabilityRecord {
  readonly slot: number
  readonly type: string
  readonly label: string
  readonly rights: number
  readonly badge: number
}

export interface DomainRecord {
  readonly id: number
  readonly name: string
  readonly fault: DriverFault
  /** Its last events, then the machine's last, both oldest first. */
  readonly events: readonly EventRecord[]
  readonly around: readonly EventRecord[]
  readonly fibers: readonly FiberRecord[]
  /** Of a domain that hung: where each of its fibers waited. */
  readonly waiting: readonly { readonly fiber: string; readonly frames: readonly Frame[] }[]
  readonly capabilities: readonly CapabilityRecord[]
  readonly held: Remains
  readonly quotas: Quotas
  /** Requests refused for quota. */
  readonly refused: Readonly<Record<string, number>>
  /** Events of the whole run up to and with the failure, and the hash over them: a replay has reached this point exactly when both agree. */
  readonly event: number
  readonly eventHash: string
}

/** Events kept of the domain's own, and of the whole machine's. */
const OWN = 64
const AROUND = 32
/** Events looked through for the domain's own. */
const RECENT = 1024

export function examine(domain: Domain, fault: DriverFault): DomainRecord {
  const { processor, ledger, capabilities } = domain
  const { log } = processor
  const recent = log.records(RECENT)
  return {
    id: domain.id,
    name: domain.name,
    fault,
    events: recent.filter((record) => record.domain === domain.id).slice(-OWN),
    around: recent.slice(-AROUND),
    fibers: [...domain.fibers.values()].map((fiber) => {
      const wait = fiber.conversation?.wait ?? 'nothing'
      const { id, name, state, effective } = fiber
      return { id, name, state, ...(wait === 'nothing' ? {} : { wait }), priority: effective }
    }),
    waiting: domain.traces.map(({ fiber, frames }) => ({ fiber, frames })),
    capabilities: capabilities
      .all()
      .map(({ slot, object, rights, badge }) => ({ slot, type: object.type, label: object.label, rights, badge })),
    held: domain.remains(),
    quotas: Object.fromEntries(RESOURCES.map((name) => [name, ledger.quotas[name]])) as unknown as Quotas,
    refused: { ...ledger.refused },
    event: log.count,
    eventHash: log.hash,
  }
}
