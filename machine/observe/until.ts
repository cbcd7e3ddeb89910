/**
 * Where to stop a run: an event by number, by kind, or by time. Knows the log only.
 */
import { describeRecord, type EventLog } from '../../kernel/log.ts'

export type StopAt =
  | { readonly by: 'number'; readonly number: number }
  /** The `nth` event of a kind, from 1. */
  | { readonly by: 'kind'; readonly kind: string; readonly nth: number }
  /** The first event at or after it. */
  | { readonly by: 'time'; readonly ns: number }

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, ms: 1e6, s: 1e9 }

export const STOP_SYNTAX = '#NUMBER, KIND, KIND:NTH or @TIME with a unit, as in #12345, fault, interrupt:3, @1.5ms'

/** Read what `--until` takes; undefined when it is none of it. */
export function parseStop(text: string): StopAt | undefined {
  const [, number] = /^#([1-9]\d*)$/.exec(text) ?? []
  if (number !== undefined) return { by: 'number', number: Number(number) }
  const [, amount, unit] = /^@(\d+(?:\.\d+)?)(ns|us|ms|s)$/.exec(text) ?? []
  if (amount !== undefined) return { by: 'time', ns: Number(amount) * UNITS[unit!]! }
  const [, kind, nth = '1'] = /^([a-z]+)(?::([1-9]\d*))?$/.exec(text) ?? []
  return kind === undefined ? undefined : { by: 'kind', kind, nth: Number(nth) }
}

/** Call `stop` once, at the event, from within whatever caused it; it gets the event as a line. */
export function stopAt(log: EventLog, where: StopAt, stop: (event: string) => void): void {
  let seen = 0
  const last = (): string => describeRecord(log.records(1)[0]!)
  if (where.by === 'number') {
    log.watch(where.number, () => {
      stop(last())
      return Infinity
    })
    return
  }
  log.watch(1, () => {
    const [record] = log.records(1)
    const hit = where.by === 'time' ? record!.atNs >= where.ns : record!.kind === where.kind && ++seen === where.nth
    if (!hit) return log.count + 1
    stop(last())
    return Infinity
  })
}
