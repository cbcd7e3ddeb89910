/** Traces of a small machine: the text as it was last looked at, and the rules of the Trace Event Format. */
import { join } from 'node:path'
import test from 'ava'
import type { Machine } from '../../../machine/machine.ts'
import { createMachine } from '../../../machine/machine.ts'
import { chromeTrace, textTrace, type TraceFormat } from '../../../machine/observe/trace-format.ts'
import { Tracer, type TraceEvent, type TraceFilter } from '../../../machine/observe/tracer.ts'
import { checkChromeTrace } from '../../chrome-trace.ts'
import { golden } from '../../golden.ts'
import { line, op } from '../../kernel/support.ts'
import { WORDS } from '../small/module.ts'
import {
  DMA_REGISTER,
  INTERRUPT_REGISTER,
  irq,
  poke,
  probe,
  remove,
  SCRATCH_REGISTER,
  TestDevice,
  testPackage,
} from '../support.ts'

/** Where the test driver keeps what it lets the device reach. */
const BUFFER = WORDS + 0x100
/** Where the device finds that: there is one window, so it is the first. */
const WINDOW = 0x1000_0100

/** probe: a register, a window, the device through it, an interrupt while it waits, the window closed. */
const pack = testPackage('tiny', [
  {
    ...probe,
    body: [
      ...probe.body,
      ...poke(SCRATCH_REGISTER, [op.value(0x1234)]),
      // The driver passes the bus address straight on.
      ...poke(
        DMA_REGISTER,
        line(op.local(1), op.value(BUFFER), op.value(64), op.value(0), op.call('dma.map')) as never,
      ),
      ...poke(INTERRUPT_REGISTER, [op.value(1000)]),
      ...line(op.value(10_000), op.call('delay')),
      ...line(op.local(1), op.value(WINDOW), op.value(64), op.call('dma.unmap'), op.drop),
    ],
  },
  remove,
  irq,
])

async function run(probeOf?: (machine: () => Machine) => Tracer): Promise<Machine> {
  let machine: Machine | undefined
  const tracer = probeOf?.(() => machine!)
  machine = createMachine({ seed: 3, ...(tracer && { observer: tracer }) })
  tracer?.follow(machine)
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const driver = await machine.load(pack)
  if (driver.devices.size === 0) await driver.bind(fn)
  await machine.unload('tiny')
  tracer?.end()
  return machine
}

const everything: TraceFilter = { wants: () => true }

async function traced(format: (tracer: Tracer) => TraceFormat, filter = everything) {
  let out = ''
  const events: TraceEvent[] = []
  let lines: TraceFormat | undefined
  let tracer: Tracer | undefined
  const machine = await run(() => {
    tracer = new Tracer(filter, (event) => {
      events.push(event)
      out += lines!.event(event)
    })
    lines = format(tracer)
    return tracer
  })
  return { out: out + lines!.end(tracer!.names), events, machine }
}

const text = ({ names }: Tracer): TraceFormat => textTrace(names)

test('record and replay: a traced machine runs as one that nobody looks at', async (t) => {
  const plain = await run()
  const { machine } = await traced(text)
  t.is(machine.board.kernel.log.hash, plain.board.kernel.log.hash)
  t.is(machine.now(), plain.now())
})

test('a trace as text', async (t) => {
  // How many capabilities an ending domain had is others' business.
  const { out } = await traced(text, { wants: (_category, name) => name !== 'end' })
  golden(t, join(import.meta.dirname, 'golden'), 'trace.txt', out)
})

test('a filter leaves out what it does not name', async (t) => {
  const { events } = await traced(text, { wants: (category) => category === 'dma' })
  t.deepEqual(
    events.map(({ category, name }) => `${category} ${name}`),
    ['dma dma.map', 'dma device', 'dma device', 'dma dma.unmap'],
  )
})

test('a trace for Chrome and Perfetto keeps the rules of its format', async (t) => {
  const { out } = await traced(() => chromeTrace({ seed: 3 }))
  t.true(checkChromeTrace(t, out).length > 20)
})

test('an empty trace is a document too', (t) => {
  t.deepEqual(JSON.parse(chromeTrace().end(new Map())), { traceEvents: [], displayTimeUnit: 'ns', otherData: {} })
})

test('functions that never return are closed where their fiber or domain ends', async (t) => {
  const events: TraceEvent[] = []
  const tracer = new Tracer(everything, (event) => events.push(event))
  const machine = createMachine({ seed: 3, observer: tracer })
  tracer.follow(machine)
  const driver = await machine.load(pack)
  tracer.enter(driver.host, 'outer', [1])
  tracer.enter(driver.host, 'inner', [])
  driver.domain.fail(new Error('it broke'))
  tracer.end()
  const calls = events.filter(({ category }) => category === 'calls')
  t.deepEqual(
    calls.map(({ phase, name, detail }) => `${phase} ${name}${detail}`),
    ['begin outer(1)', 'begin inner()', 'end inner did not return', 'end outer did not return'],
  )
})
