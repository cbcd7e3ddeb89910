/**
 * Who looks for the mistake in a mutant of the kernel: the reference models, given few operations first.
 *
 * Each judge throws when the kernel and its model differ. Loaded once per mutant, together with the mutated kernel.
 */
import { holdToModel } from '../model/_capability-pair.ts'
import { holdIpcToModel } from '../model/_ipc-pair.ts'
import { holdScheduleToModel } from '../model/_schedule-pair.ts'

export interface Judge {
  readonly name: string
  readonly judge: (runs: number, length: number, seed: number) => unknown
}

const CAPABILITIES: Judge = { name: 'capabilities', judge: holdToModel }
const IPC: Judge = { name: 'ipc', judge: holdIpcToModel }
const SCHEDULE: Judge = { name: 'schedule', judge: holdScheduleToModel }

/** File of the kernel -> who is asked, the likeliest first. */
export const JUDGES: Readonly<Record<string, readonly Judge[]>> = {
  'capability.ts': [CAPABILITIES, IPC],
  'cspace.ts': [CAPABILITIES, IPC],
  'ipc.ts': [IPC],
  'message.ts': [IPC],
  'transfer.ts': [IPC],
  'contract.ts': [IPC],
  'schedule.ts': [SCHEDULE],
}
