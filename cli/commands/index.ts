/** The commands, in the order --help shows them. Each is read when it is asked for: most of what starting takes is reading code. */
import type { Command } from '../context.ts'

const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demo,
  test: async () => (await import('./test.ts')).test,
  ci: async () => (await import('./ci.ts')).ci,
  doctor: async () => (await import('./doctor.ts')).doctor,
  explain: async () => (await import('./explain.ts')).explain,
  fetch: async () => (await import('./fetch.ts')).fetchTrees,
  list: async () => (await import('./list.ts')).list,
  analyze: async () => (await import('./analyze.ts')).analyze,
  build: async () => (await import('./build.ts')).build,
  run: async () => (await import('./run.ts')).run,
  replay: async () => (await import('./replay.ts')).replay,
  trace: async () => (await import('./trace.ts')).traceRun,
  ioreg: async () => (await import('./ioreg.ts')).ioreg,
  optimize: async () => (await import('./optimize.ts')).optimize,
  matrix: async () => (await import('./matrix.ts')).matrix,
  worker: async () => (await import('./worker.ts')).worker,
}

/** The commands that a command line may be of: the one that it begins with, or else all. */
export async function commandsFor([first = '']: readonly string[]): Promise<Command[]> {
  const only = Object.hasOwn(COMMANDS, first) ? COMMANDS[first] : undefined
  return Promise.all((only === undefined ? Object.values(COMMANDS) : [only]).map((load) => load()))
}
