/**
 * An engine: something else than this process that runs the machine, from the same files.
 *
 * A *job* is a directory: `code/` holds plain modules, everything beside it is data the program reads by name. The
 * program says what it has to say as lines of JSON, and ends. Knows nothing of machines.
 */

export const ENGINES = ['node', 'arm64', 'chromium'] as const
export type EngineName = (typeof ENGINES)[number]

export interface Job {
  /** Absolute. */
  readonly dir: string
  /** Entry modules below `dir`, one for each kind of engine. */
  readonly entries: { readonly node: string; readonly page: string }
  /** Called with each line of JSON, parsed, in order. */
  readonly onMessage: (message: unknown) => void
  readonly signal?: AbortSignal
}

export interface Engine {
  readonly name: EngineName
  /** What it is and how it is run, for people. */
  readonly about: string
  /** Run a job to its end. Throws InfrastructureError when the engine itself fails, Interrupted. */
  run(job: Job): Promise<void>
}

export interface BringOptions {
  readonly signal?: AbortSignal
  readonly progress?: (line: string) => void
}
