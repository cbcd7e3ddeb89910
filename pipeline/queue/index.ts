/**
 * A matrix made by several computers: jobs on BullMQ over Redis, packages and objects through a shared store.
 *
 * Loaded only when --queue is given; nothing else of the pipeline knows it. How it works is in docs/workers.md.
 */
export { agreementOf } from './agreement.ts'
export { connect, type Connection } from './connection.ts'
export { coordinate, type CoordinatorOptions } from './coordinator.ts'
export type { WorkerState } from './keys.ts'
export type { Agreement, QueueModule, RunRecord } from './protocol.ts'
export { work, type OpenedRun, type OpenRun, type WorkerOptions } from './worker.ts'
