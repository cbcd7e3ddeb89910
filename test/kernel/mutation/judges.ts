/**
 * Who looks for the mistake in a mutant: of the kernel, of the IOMMU and of the page table the reference models, given few operations
 * first; of what in the kernel has no model the tests beside it; of the verifier the modules that it must accept and those that it
 * must refuse.
 *
 * Each judge throws when what is mutated and its model differ. Loaded once per mutant, together with the mutated kernel.
 */
import { runTests } from './ava.ts'

export interface Judge {
  readonly name: string
  readonly judge: (runs: number, length: number, seed: number) => unknown
  /** It is asked once, whatever the effort, and sees by itself that somebody waits without end. */
  readonly once?: true
  /** How often its loops may go round, where that is much. */
  readonly loopsMax?: number
}

type Hold = (runs: number, length: number, seed: number) => unknown

/** Loaded when it is asked: most mutants need only the first. */
const model = (name: string, load: () => Promise<Hold>): Judge => ({
  name,
  judge: async (runs, length, seed) => (await load())(runs, length, seed),
})

const CAPABILITIES = model('capabilities', async () => (await import('../model/_capability-pair.ts')).holdToModel)
const IPC = model('ipc', async () => (await import('../model/_ipc-pair.ts')).holdIpcToModel)
const SCHEDULE = model('schedule', async () => (await import('../model/_schedule-pair.ts')).holdScheduleToModel)
const IOMMU = model('iommu', async () => (await import('../../hw/_iommu-model.ts')).holdIommuToModel)
const PAGES = model(
  'pages',
  async () => (await import('../../machine/reach/_page-table-model.ts')).holdPageTableToModel,
)
const CASES = model('cases', async () => (await import('../../pipeline/verify/_judge.ts')).holdVerifierToCases)

/** Those whose loops go round millions of times. */
const LONG: Readonly<Record<string, number>> = {
  preemption: 6_000_000,
  breath: 10_000_000,
  time: 10_000_000,
}

/** The tests in these files of test/kernel/. */
const tests = (...names: readonly string[]): Judge[] =>
  names.map((name) => ({
    name,
    judge: async () => {
      await import(`../${name}.test.ts`)
      await runTests()
    },
    once: true,
    ...(name in LONG ? { loopsMax: LONG[name]! } : {}),
  }))

/** Of `pipeline/verify/`, what decides: the others are its interface. */
const VERIFIER = ['bound', 'code', 'core', 'imports', 'linked', 'room', 'shape', 'verdict', 'work', 'allowance', 'wasi']
const verifierFile = (name: string): string => `verify/${name}.ts`

/** Where a file lies that is not in kernel/. */
export const PLACES: Readonly<Record<string, string>> = {
  'iommu.ts': 'hw/iommu.ts',
  'page-table.ts': 'machine/reach/page-table.ts',
  ...Object.fromEntries(VERIFIER.map((name) => [verifierFile(name), `pipeline/${verifierFile(name)}`])),
}

export const placeOf = (file: string): string => PLACES[file] ?? `kernel/${file}`

/** File -> who is asked, the likeliest first. */
export const JUDGES: Readonly<Record<string, readonly Judge[]>> = {
  'capability.ts': [CAPABILITIES, ...tests('capability', 'transfer'), IPC],
  'cspace.ts': [CAPABILITIES, ...tests('transfer'), IPC],
  'ipc.ts': [IPC, ...tests('notification', 'ipc-ends', 'talker')],
  'message.ts': [IPC, ...tests('ipc-ends')],
  'transfer.ts': [IPC, ...tests('transfer', 'memory')],
  'contract.ts': [IPC, ...tests('contract', 'ipc-ends', 'ipc')],
  'schedule.ts': [SCHEDULE, ...tests('defaults', 'turns', 'preemption')],
  'meter.ts': tests('meter', 'domain-fibers', 'turns', 'domain', 'fibers', 'preemption'),
  'delivery.ts': tests('delivery', 'domain', 'fibers', 'kill', 'preemption'),
  'domain.ts': tests(
    'domain-fibers',
    'domain-ends',
    'domain',
    'give-way',
    'fibers',
    'ipc-ends',
    'ipc',
    'pace',
    'kill',
    'preemption',
  ),
  'kernel.ts': tests(
    'turns',
    'kernel',
    'give-way',
    'fibers',
    'pacing',
    'record',
    'same-run',
    'ipc-ends',
    'ipc',
    'pace',
    'breath',
    'kill',
    'preemption',
  ),
  'fiber.ts': tests('fiber', 'domain-fibers', 'domain-ends', 'domain', 'talker', 'fibers', 'ipc', 'ipc-ends'),
  'time.ts': tests('time', 'meter', 'fibers', 'record'),
  'log.ts': tests('log', 'record', 'kernel'),
  'record.ts': tests('record', 'pace', 'kernel'),
  'pace.ts': tests('pacing', 'pace', 'record', 'kernel'),
  'queue.ts': tests('queue', 'kernel'),
  'quota.ts': tests('quota', 'defaults', 'kill'),
  'costs.ts': tests('defaults'),
  'program.ts': tests('defaults'),
  'room.ts': tests('room', 'domain-ends'),
  'talker.ts': tests('talker', 'domain', 'ipc-ends'),
  'interrupts.ts': tests('interrupts', 'delivery', 'fibers'),
  'heartbeat.ts': tests('heartbeat', 'defaults'),
  'post-mortem.ts': tests('post-mortem'),
  'fault.ts': tests('fault', 'domain-ends', 'fibers', 'domain'),
  'trap-words.ts': tests('fault', 'fibers'),
  'breath.ts': tests('breath'),
  'memory-object.ts': tests('ring', 'memory'),
  'ring.ts': tests('ring', 'memory'),
  'registry.ts': tests('registry', 'registry-events', 'registry-model'),
  'supervisor.ts': tests('supervisor', 'defaults'),
  'iommu.ts': [IOMMU],
  'page-table.ts': [PAGES],
  ...Object.fromEntries(VERIFIER.map((name) => [verifierFile(name), [CASES]])),
}
