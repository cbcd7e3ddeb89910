/**
 * The rungs above verify, on real modules: what starts and stops, what says that its hardware is missing, what fails in
 * every way the samples do, and what takes its process along.
 */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import test from 'ava'
import { symbolizerOf } from '../../cli/machine.ts'
import { openClimber, type ClimberOptions } from '../../cli/matrix-machine.ts'
import { ascend, type PackageAscent } from '../../lab/ascent.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { Interrupted } from '../../pipeline/errors.ts'
import type { Ascent, Climber } from '../../pipeline/matrix/climb.ts'
import type { Rung } from '../../pipeline/ladder.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const workspace = await openTestWorkspace()
let built: Promise<BuildDocument> | undefined

const LIBRARY = ['nls_utf8', 'crc7', 'lz4_compress']
const FOLDER = join(packageRoot, 'drivers-src/faults')

async function dirOf(name: string): Promise<string> {
  const selectors = [...LIBRARY, FOLDER, '8139too', 'e1000']
  built ??= buildModules({ tree: workspace.tree, selectors, toolchain: workspace.toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return module.package
}

const NEVER = new AbortController().signal

async function climb(climber: Climber, name: string, until: Rung = 'init', signal = NEVER): Promise<Ascent> {
  return climber.climb({ dir: await dirOf(name), name }, until, signal)
}

/** With a climber of these options, closed afterwards. */
async function using<T>(options: Partial<ClimberOptions>, body: (climber: Climber) => Promise<T>): Promise<T> {
  const climber = openClimber({ seed: 1, workers: 1, ...options })
  try {
    return await body(climber)
  } finally {
    await climber.close()
  }
}

test.serial('library modules start, stop and leave nothing', (t) =>
  using({}, async (climber) => {
    for (const name of LIBRARY) {
      const { rung, reason, detail } = await climb(climber, name)
      t.deepEqual({ rung, reason, detail }, { rung: 'init', reason: '', detail: '' }, name)
    }
    const { rung, reason } = await climb(climber, LIBRARY[0]!, 'probe')
    t.deepEqual([rung, reason], ['init', 'no-device-model'])
    t.is((await climb(climber, LIBRARY[0]!, 'load')).rung, 'load')
  }),
)

/** Sample of drivers-src/faults -> reason of its row, and how its detail begins. */
const SAMPLES: Readonly<Record<string, readonly [reason: string, kind: string]>> = {
  null_dereference: ['fault', 'null-dereference'],
  wild_pointer: ['fault', 'memory-access'],
  endless_loop: ['timeout', 'endless-loop'],
  stack_overflow: ['fault', 'stack-overflow'],
  bug: ['fault', 'bug'],
  kernel_panic: ['fault', 'panic'],
  out_of_memory: ['out-of-memory', 'out-of-memory'],
  sleep_in_atomic: ['fault', 'sleep-in-atomic'],
  divide_by_zero: ['fault', 'divide-by-zero'],
  bad_call: ['fault', 'bad-indirect-call'],
  hang: ['timeout', 'hang'],
}

test.serial('a driver that fails is a row that names its fault and C line, the same each time', async (t) => {
  for (const [name, [reason, kind]] of Object.entries(SAMPLES)) {
    const pack = await readPackage(await dirOf(name), name)
    const at = (until: 'init' | 'probe', args: string[]): Promise<PackageAscent> =>
      ascend(pack, { until, seed: 1, args, symbolizer: symbolizerOf, wallMs: () => 0 })
    const during = await at('init', [`${name}.when=init`])
    t.deepEqual([during.rung, during.reason], ['load', reason], during.detail)
    t.regex(during.detail, new RegExp(`^${kind} in init: .* at \\S*${name}\\.c:\\d+ \\(\\w+\\)$`), name)
    t.deepEqual(await at('init', [`${name}.when=init`]), during)
    const later = await at('probe', [])
    t.deepEqual([later.rung, later.reason], ['init', reason], later.detail)
  }
})

/** Send a signal, 0 to ask only; false when there is no such process any more, which whoever runs beside it must expect. */
function send(pid: number, signal: 'SIGKILL' | 0): boolean {
  try {
    return process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

test.serial('a process that is killed costs its package nothing, and one that always dies is a row', (t) => {
  const pids: number[] = []
  return using({ onStart: (pid) => pids.push(pid) }, async (climber) => {
    const first = climb(climber, '8139too', 'recover')
    while (pids.length === 0) await sleep(20)
    t.true(send(pids[0]!, 'SIGKILL'))
    t.deepEqual([(await first).rung, (await first).reason], ['recover', ''])
    t.is(pids.length, 2)
    const killer = setInterval(() => send(pids.at(-1)!, 'SIGKILL'), 50)
    const second = await climb(climber, 'e1000', 'recover')
    clearInterval(killer)
    t.deepEqual([second.rung, second.reason], ['verify', 'internal-error'])
    t.regex(second.detail, /SIGKILL/)
    t.is((await climb(climber, LIBRARY[0]!)).rung, 'init', 'the batch goes on')
  })
})

test.serial('e1000 climbs to recover, and the row is the same from any process', async (t) => {
  const twice = await using({ workers: 2 }, (climber) =>
    Promise.all([climb(climber, 'e1000', 'recover'), climb(climber, 'e1000', 'recover')]),
  )
  for (const { rung, reason, detail } of twice) t.deepEqual([rung, reason, detail], ['recover', '', ''])
})

test.serial('wall time and memory end what goes beyond them, and the row says that it was from outside', async (t) => {
  const late = await using({ wallMsMax: 1 }, (climber) => climb(climber, 'e1000', 'recover'))
  t.is(late.reason, 'timeout')
  t.regex(late.detail, /wall time/)
  const large = await using({ memoryBytesMax: 1 << 20 }, (climber) => climb(climber, 'e1000', 'recover'))
  t.is(large.reason, 'out-of-memory')
})

test.serial('an abort ends the process and is thrown', async (t) => {
  const controller = new AbortController()
  const pids: number[] = []
  await using({ onStart: (pid) => pids.push(pid) }, async (climber) => {
    const running = climb(climber, 'e1000', 'contain', controller.signal)
    while (pids.length === 0) await sleep(20)
    controller.abort()
    await t.throwsAsync(running, { instanceOf: Interrupted })
    // Before the climber closes, which would end it too. A killed process stays in the table until it is reaped.
    for (let tries = 0; tries < 500 && send(pids[0]!, 0); tries++) await sleep(20)
    t.false(send(pids[0]!, 0), 'it goes on')
  })
})
