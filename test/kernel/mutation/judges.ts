/**
 * Who looks for the mistake in a mutant: of the kernel, of the IOMMU and of the page table the reference models, given few operations
 * first; of what in the kernel has no model the tests beside it; of the verifier the modules that it must accept and those that it
 * must refuse.
 *
 * Each judge throws when what is mutated and its model differ. Loaded once per mutant, together with the mutated kernel.
 */
import { holdToModel } from '../model/_capability-pair.ts'
import { holdIpcToModel } from '../model/_ipc-pair.ts'
import { holdScheduleToModel } from '../model/_schedule-pair.ts'
import { holdIommuToModel } from '../../hw/_iommu-model.ts'
import { holdPageTableToModel } from '../../machine/reach/_page-table-model.ts'
import { holdVerifierToCases } from '../../pipeline/verify/_judge.ts'
import { runTests } from './ava.ts'

export interface Judge {
  readonly name: string
  readonly judge: (runs: number, length: number, seed: number) => unknown
  /** It is asked once, whatever the effort, and sees by itself that somebody waits without end. */
  readonly once?: true
}

const CAPABILITIES: Judge = { name: 'capabilities', judge: holdToModel }
const IPC: Judge = { name: 'ipc', judge: holdIpcToModel }
const SCHEDULE: Judge = { name: 'schedule', judge: holdScheduleToModel }

const IOMMU: Judge = { name: 'iommu', judge: holdIommuToModel }
const PAGES: Judge = { name: 'pages', judge: holdPageTableToModel }
const CASES: Judge = { name: 'cases', judge: holdVerifierToCases }

/** The tests in these files of test/kernel/. */
const tests = (...names: readonly string[]): Judge[] =>
  names.map((name) => ({
    name,
    judge: async () => {
      await import(`../${name}.test.ts`)
      await runTests()
    },
    once: true,
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
  'capability.ts': [CAPABILITIES, IPC],
  'cspace.ts': [CAPABILITIES, IPC],
  'ipc.ts': [IPC],
  'message.ts': [IPC],
  'transfer.ts': [IPC],
  'contract.ts': [IPC],
  'schedule.ts': [SCHEDULE],
  'meter.ts': tests('meter', 'domain', 'preemption', 'fibers'),
  'delivery.ts': tests('delivery', 'domain', 'fibers', 'preemption', 'kill'),
  'domain.ts': tests('domain', 'fibers', 'preemption', 'ipc', 'ipc-ends', 'kill', 'pace'),
  'kernel.ts': tests('kernel', 'fibers', 'preemption', 'ipc', 'kill', 'record', 'pace', 'ipc-ends'),
  'iommu.ts': [IOMMU],
  'page-table.ts': [PAGES],
  ...Object.fromEntries(VERIFIER.map((name) => [verifierFile(name), [CASES]])),
}
