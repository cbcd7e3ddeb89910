/** Domains' entries run on top of one another, on the engine's one stack: many of them at once must not exhaust it. */
import test from 'ava'
import { Kernel } from '../../kernel/kernel.ts'
import { type Function, load, op } from './support.ts'

const DOMAINS = 1000

/** Lets time pass in its timer entry, so that the next domain's timer is due on top of it. */
const timer: Function = {
  name: 'timer',
  body: [op.value(1), op.call('note'), op.value(1000), op.call('delay'), op.value(2), op.call('note')],
}

test('a thousand domains whose timers are due at once are all entered, a few on top of one another', async (t) => {
  const kernel = new Kernel(1)
  let deep = 0
  const entered = (): number => kernel.domains.filter(({ depth }) => depth > 0).length
  const domains = Array.from({ length: DOMAINS }, (_, i) => {
    const noted = (): void => void (i % 50 === 0 && (deep = Math.max(deep, entered())))
    return load(kernel, `d${i}`, [timer], { noted })
  })
  domains.forEach(({ domain }, i) => domain.setTimer(1000 + i))
  await kernel.run(() => false, 1e9)
  t.true(domains.every(({ domain, notes }) => !domain.dead && notes.join() === '1,2'))
  t.true(deep > 1 && deep < 12, `${deep} on top of one another`)
})
