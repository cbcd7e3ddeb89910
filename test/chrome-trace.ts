/**
 * The rules of the Trace Event Format that a viewer relies on: known phases, durations that nest on their track and are
 * all closed, times that never go back, a name for every track.
 */
import type { ExecutionContext } from 'ava'

interface ChromeEvent {
  readonly ph: string
  readonly name: string
  readonly ts?: number
  readonly pid: number
  readonly tid: number
  readonly s?: string
  readonly args?: Record<string, unknown>
}

/** Problems of one track's events, in order. */
function problemsOf(events: readonly ChromeEvent[]): string[] {
  const open: string[] = []
  const problems: string[] = []
  let last = 0
  for (const { ph, name, ts, s } of events) {
    if (typeof ts !== 'number' || ts < last) problems.push(`${name}: time goes back to ${ts}`)
    last = ts ?? last
    if (ph === 'B') open.push(name)
    else if (ph === 'E') {
      const top = open.pop()
      if (top !== name) problems.push(`${name} ends where ${top} is open`)
    } else if (ph !== 'i' || s !== 't') problems.push(`${name}: phase ${ph}, scope ${s}`)
  }
  return [...problems, ...open.map((name) => `${name} is left open`)]
}

/** Hold a trace against the rules; returns its events without the names of tracks. */
export function checkChromeTrace(t: ExecutionContext, text: string): ChromeEvent[] {
  const document = JSON.parse(text) as { traceEvents: ChromeEvent[]; displayTimeUnit: string }
  t.is(document.displayTimeUnit, 'ns')
  const events = document.traceEvents.filter(({ ph }) => ph !== 'M')
  const tracks = Map.groupBy(events, ({ pid, tid }) => `${pid}/${tid}`)
  for (const [track, those] of tracks) t.deepEqual(problemsOf(those), [], track)
  const titles = document.traceEvents.filter(({ name }) => name === 'thread_name')
  for (const { args } of titles) t.is(typeof args?.['name'], 'string')
  t.deepEqual(new Set(titles.map(({ pid, tid }) => `${pid}/${tid}`)), new Set(tracks.keys()), 'every track has a name')
  return events
}
