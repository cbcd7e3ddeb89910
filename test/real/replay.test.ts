/**
 * Record and replay on a real driver, as a user does it: each step is a process of its own. The recording is of a whole
 * run of 8139too, in which its registers are revoked, so there is a fault to stop at.
 */
import test from 'ava'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkChromeTrace } from '../chrome-trace.ts'
import type { Frame } from '../../kernel/fault.ts'

const MAIN = resolve(import.meta.dirname, '../../cli/main.ts')
const work = mkdtempSync(join(tmpdir(), 'drvport-replay-'))
test.after.always(() => rmSync(work, { recursive: true, force: true }))

const start = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawn(process.execPath, [MAIN, ...words], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })

/** Exit status, and what was said. */
async function drvport(words: readonly string[], env?: NodeJS.ProcessEnv) {
  const child = start(words, env)
  let out = ''
  let err = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  const status = await new Promise<number | null>((done) => child.on('close', done))
  return { status, out, err }
}

interface Replayed {
  readonly events: number
  readonly eventHash: string
  readonly identical: boolean
  readonly recorded: { readonly events: number; readonly cut: boolean }
  readonly stopped?: {
    readonly running?: { readonly domain: string; readonly frames: readonly Frame[] }
    readonly arguments?: readonly { readonly name: string; readonly value: string }[]
    readonly faults: readonly { readonly kind: string; readonly frames: readonly Frame[] }[]
    readonly devices: readonly { readonly registers: readonly { readonly name: string }[] }[]
  }
}

const replay = async (words: readonly string[], env?: NodeJS.ProcessEnv): Promise<Replayed> =>
  JSON.parse((await drvport(['replay', ...words, '--json'], env)).out) as Replayed

const DRIVER = 'drivers/net/ethernet/realtek/8139too.c'
const whole = join(work, 'whole.rec')

test.serial('record and replay: a run is the same in another process, to the event', async (t) => {
  const { status, out } = await drvport(['run', '8139too', '--frames', '60', '--seed', '9', '--record', whole, '--embed', '--json']) // prettier-ignore
  t.is(status, 0)
  const { machine } = JSON.parse(out) as { machine: { events: number; eventHash: string } }
  const again = await replay([whole])
  t.true(again.identical)
  t.is(again.eventHash, machine.eventHash)
  t.is(again.events, machine.events)
  t.deepEqual(again.recorded, { events: machine.events, cut: false })
})

test.serial('a replay stops at a fault with its C stack, from the recording alone', async (t) => {
  const empty = { DRVPORT_CACHE: join(work, 'empty-cache') }
  const { identical, stopped } = await replay([whole, '--until', 'fault'], empty)
  t.true(identical)
  const [fault] = stopped!.faults
  t.is(fault?.kind, 'no-capability')
  t.true(fault!.frames.some(({ file }) => file === DRIVER))
  t.true(stopped!.devices[0]!.registers.some(({ name }) => name === 'CR'))
})

test.serial('a replay stops before a line of C, with arguments, and is the same run up to it', async (t) => {
  const { identical, stopped } = await replay([whole, '--break', 'rtl8139_interrupt', '--hit', '2'])
  t.true(identical)
  t.is(stopped?.running?.frames[0]?.function, 'rtl8139_interrupt')
  t.is(stopped?.running?.frames[0]?.file, DRIVER)
  t.deepEqual(
    stopped?.arguments?.map(({ name }) => name),
    ['int irq', 'void *dev_instance'],
  )
  // Stopping at its own line again gives the same place.
  const { line } = stopped!.running!.frames[0]!
  const byLine = await replay([whole, '--break', `8139too.c:${line}`, '--hit', '2'])
  t.is(byLine.events, (await replay([whole, '--break', `8139too.c:rtl8139_interrupt`, '--hit', '2'])).events)
})

test.serial('calls put in for breakpoints do not change the run: one that never stops ends as recorded', async (t) => {
  const { status, err } = await drvport(['replay', whole, '--break', 'rtl8139_start_xmit', '--hit', '1000000'])
  t.is(status, 2)
  // Said only of a run that was identical; another one would be told as that.
  t.regex(err, /never came to the line/)
})

test.serial('a trace of a recording is of the same run, and loads', async (t) => {
  const output = join(work, 'trace.json')
  const { status, out } = await drvport(['trace', whole, '--format', 'chrome', '--output', output, '--json'])
  t.is(status, 0)
  t.true((JSON.parse(out) as { identical: boolean }).identical)
  const events = checkChromeTrace(t, readFileSync(output, 'utf8'))
  for (const wanted of [
    /^rtl8139_init_one$/,
    /^rtl8139_interrupt$/,
    /^out8 .* CR = /,
    /^dma\.map /,
    /^delivered /,
    /^raised /,
  ]) {
    t.true(
      events.some(({ name }) => wanted.test(name)),
      String(wanted),
    )
  }
})

test.serial('the recording of a process that was killed replays up to its end', async (t) => {
  const path = join(work, 'killed.rec')
  const child = start(['run', '8139too', '--frames', '100000', '--record', path])
  while (child.exitCode === null && !(existsSync(path) && statSync(path).size > 20_000)) await sleep(20)
  child.kill('SIGKILL')
  await new Promise((done) => child.on('close', done))
  const { identical, recorded, events } = await replay([path])
  t.true(identical)
  t.true(recorded.cut)
  t.true(recorded.events > 256)
  t.true(events >= recorded.events)
})
