/**
 * Traces as text, and as the Trace Event Format that chrome://tracing and Perfetto load
 * (https://chromium.googlesource.com/catapult, "Trace Event Format").
 *
 * Both are written event by event, so that a trace need not fit in memory. Knows trace events only.
 */
import { PROCESSOR, type TraceEvent, type Track } from './tracer.ts'

/** Turns trace events into pieces of a file. */
export interface TraceFormat {
  event(event: TraceEvent): string
  /** What stands after the last event; `names` are the domains'. */
  end(names: ReadonlyMap<number, string>): string
}

const trackName = ({ domain, fiber }: Track, names: ReadonlyMap<number, string>): string => {
  if (domain === 0) return fiber === PROCESSOR ? 'processor' : 'machine'
  return `${names.get(domain) ?? `domain ${domain}`}/${fiber === 0 ? 'atomic' : fiber}`
}

/** One line an event: time, who, what it is of, what it says; C calls indented by their depth. */
export function textTrace(names: ReadonlyMap<number, string>): TraceFormat {
  const depths = new Map<string, number>()
  return {
    event(event) {
      const who = trackName(event, names)
      let depth = depths.get(who) ?? 0
      if (event.phase === 'end') depths.set(who, (depth = Math.max(0, depth - 1)))
      if (event.phase === 'begin') depths.set(who, depth + 1)
      const mark = event.phase === 'begin' ? '> ' : event.phase === 'end' ? '< ' : ''
      const gap = event.detail === '' || /^[( ]/.test(event.detail) ? '' : ' '
      const time = (event.atNs / 1e9).toFixed(9).padStart(14)
      return `${time}  ${who.padEnd(16)} ${event.category.padEnd(9)} ${'  '.repeat(depth)}${mark}${event.name}${gap}${event.detail}\n`
    },
    end: () => '',
  }
}

/** An object with `traceEvents`: durations as B and E, points as i, names of tracks as M. Times in microseconds. */
export function chromeTrace(other: Readonly<Record<string, unknown>> = {}): TraceFormat {
  const tracks = new Map<string, Track>()
  let begun = false
  const put = (event: object): string => {
    const before = begun ? ',\n' : '{"traceEvents":[\n'
    begun = true
    return before + JSON.stringify(event)
  }
  return {
    event({ atNs, domain, fiber, category, phase, name, detail }) {
      tracks.set(`${domain}/${fiber}`, { domain, fiber })
      const place = { ts: atNs / 1000, pid: domain, tid: fiber }
      const args = detail === '' ? {} : { args: { detail: detail.trim() } }
      if (phase === 'end') return put({ ph: 'E', name, cat: category, ...place, ...args })
      if (phase === 'begin') return put({ ph: 'B', name, cat: category, ...place, ...args })
      return put({ ph: 'i', s: 't', name: `${name} ${detail}`.trim(), cat: category, ...place, ...args })
    },
    end(names) {
      const domains = [...new Set([...tracks.values()].map(({ domain }) => domain))]
      const meta = [
        ...domains.map((pid) => ({
          ph: 'M',
          name: 'process_name',
          pid,
          tid: 0,
          args: { name: names.get(pid) ?? `domain ${pid}` },
        })),
        ...[...tracks.values()].map((track) => ({
          ph: 'M',
          name: 'thread_name',
          pid: track.domain,
          tid: track.fiber,
          args: { name: trackName(track, names) },
        })),
      ]
      const rest = meta.map(put).join('')
      return `${begun ? '' : '{"traceEvents":['}${rest}\n],"displayTimeUnit":"ns","otherData":${JSON.stringify(other)}}\n`
    },
  }
}
