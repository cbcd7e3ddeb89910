/** The watchdog's thread: see watchdog.ts. Nothing here waits for the thread that it watches. */
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { WatchdogRecord } from './watchdog.ts'

const { vitals, limit_ms } = workerData as { vitals: Float64Array; limit_ms: number }
const names = new Map<number, string>()
parentPort!.on('message', ({ id, name }: { id: number; name: string }) => names.set(id, name))

let seen = ''
let since = performance.now()

function record(stalled_ms: number): WatchdogRecord {
  const [turn = 0, virtualNs = 0, domain = 0, fiber = 0, events = 0] = vitals
  const name = names.get(domain) ?? (domain === 0 ? '' : `domain ${domain}`)
  return {
    schema: 'drvport.watchdog/1',
    stalled_ms: Math.round(stalled_ms),
    turn,
    virtualNs,
    events,
    domain: name,
    fiber,
  }
}

function look(): void {
  const now = performance.now()
  const [turn = 0] = vitals
  const state = vitals.join(' ')
  // Not running, or in no machine's loop: that is for others to bound.
  if (state !== seen || vitals[5] === 0 || turn === 0) {
    seen = state
    since = now
    return
  }
  if (now - since < limit_ms) return
  const found = record(now - since)
  const where = found.domain === '' ? 'outside of any domain' : `fiber ${found.fiber} of ${found.domain} ran last`
  writeSync(
    2,
    `drvport: the machine stands still for ${(found.stalled_ms / 1000).toFixed(1)} s at ${(found.virtualNs / 1e9).toFixed(9)} s, turn ${found.turn}, event ${found.events}; ${where}\n${JSON.stringify(found)}\n`,
  )
  process.kill(process.pid, 'SIGKILL')
}

setInterval(look, Math.max(10, limit_ms / 10))
