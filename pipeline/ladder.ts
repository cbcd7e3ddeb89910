/**
 * The ladder: what a module may reach, lowest rung first. The one list of rungs; who climbs which is said here, what it
 * takes is in pipeline/build (up to verify), lab/ascent.ts (load and init) and lab/rungs.ts (above).
 */

interface LadderRung {
  readonly rung: string
  /** Who takes a module there: the build, or a machine with its driver in it. */
  readonly by: 'build' | 'machine'
  /** What reaching it means. */
  readonly means: string
}

export const LADDER = [
  { rung: 'none', by: 'build', means: 'no source to read, or the compiler not through it' },
  { rung: 'parse', by: 'build', means: 'the tree names its sources, and they are there' },
  { rung: 'compile', by: 'build', means: 'all of its sources compile for wasm' },
  { rung: 'link', by: 'build', means: 'linked, nothing it needs is missing' },
  { rung: 'verify', by: 'build', means: 'the binary proved to do only what its manifest says' },
  { rung: 'load', by: 'machine', means: 'instantiated in a sandbox' },
  { rung: 'init', by: 'machine', means: 'its init function returned 0' },
  { rung: 'probe', by: 'machine', means: 'bound to a modelled device' },
  { rung: 'operate', by: 'machine', means: 'did the operations of its class' },
  { rung: 'traffic', by: 'machine', means: 'moved data by interrupt and DMA, contents checked' },
  { rung: 'reload', by: 'machine', means: 'unloaded without a trace and bound again' },
  { rung: 'recover', by: 'machine', means: 'killed in the middle of traffic and back' },
  { rung: 'contain', by: 'machine', means: 'injected faults stayed in the driver' },
] as const satisfies readonly LadderRung[]

export type Rung = (typeof LADDER)[number]['rung']

/** Rungs that a machine reports: `none` and `verify` of what it could not load. */
export type MachineRung = Extract<(typeof LADDER)[number], { by: 'machine' }>['rung'] | 'none' | 'verify'

export const RUNGS: readonly Rung[] = LADDER.map(({ rung }) => rung)

export const rungIndex = (rung: Rung): number => RUNGS.indexOf(rung)

/** The highest rung that the build alone reaches. */
export const BUILD_TOP = 'verify' satisfies Rung
