/** What is said in docs/microkernel.md of costs, limits and policies is what holds unless somebody asks for something else. */
import { readFileSync } from 'node:fs'
import test from 'ava'
import { DEFAULT_COSTS } from '../../kernel/costs.ts'
import { DEFAULT_HEARTBEAT } from '../../kernel/heartbeat.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { DEFAULT_QUOTAS, RESOURCES } from '../../kernel/quota.ts'
import { Partition } from '../../kernel/schedule.ts'
import { DEFAULT_RESTARTS } from '../../kernel/supervisor.ts'

const text = readFileSync(new URL('../../docs/microkernel.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')
const grouped = (n: number): string => n.toLocaleString('en-US')

test('costs', (t) => {
  const c = DEFAULT_COSTS
  for (const said of [
    `register read ${c.registerReadNs} ns, write ${c.registerWriteNs} ns, port ${c.portNs} ns, configuration space ${c.configNs} ns`,
    `a DMA window ${c.mapNs} ns, a reset ${c.resetNs / 1000} us, a call that asks no device ${c.callNs} ns`,
    `a turn of a loop that says it waits ${c.relaxNs} ns, atomic entry ${c.atomicEntryNs} ns`,
    `a unit of counted work ${c.workNs} ns with a look every ${grouped(c.workBetweenLooks)} of them`,
    `interrupt latency ${c.interruptLatencyNs} ns and less than ${c.interruptJitterNs} ns more by chance`,
    `**Equals** have turns of ${c.sliceNs / 1e6} ms`,
    `over a window of ${new Partition('any', 0).windowNs / 1e6} ms`,
  ])
    t.true(text.includes(said), said)
})

test('limits, heartbeats and restarts', (t) => {
  const [l, h, r] = [DEFAULT_LIMITS, DEFAULT_HEARTBEAT, DEFAULT_RESTARTS]
  for (const said of [
    `after ${l.fuel / 1e6} million units of counted work, or ${l.busyNs / 1e9} s of virtual time, without waiting`,
    `an entry that waits may take ${l.entryNs / 1e9} s`,
    `Every ${h.periodNs / 1e9} s a fiber goes through`,
    `One that is not back after ${h.timeoutNs / 1e9} s is missed`,
    `${r.limit} in ${r.windowNs / 1e9} s, the first after ${r.backoffNs / 1e6} ms, doubled up to ${r.backoffMaxNs / 1e9} s`,
    `escalate=${r.escalate!.join('+')}`,
  ])
    t.true(text.includes(said), said)
})

test('quotas', (t) => {
  const rows = [...text.matchAll(/\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \|/g)]
  const said = rows.flatMap(([, names, figures]) => {
    const values = figures!.split(', ').map((figure) => {
      const number = Number(/^[\d,]+/.exec(figure)?.[0].replaceAll(',', ''))
      return / Mi/.test(figure) ? number * 2 ** 20 : number
    })
    return names!.split(', ').map((name, i): [string, number] => [name.replaceAll('`', ''), values[i]!])
  })
  const known = said.filter(([name]) => (RESOURCES as readonly string[]).includes(name))
  t.deepEqual(Object.fromEntries(known), { ...DEFAULT_QUOTAS })
})
