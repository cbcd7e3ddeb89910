/** The commands, in the order --help shows them. */
import type { Command } from '../context.ts'
import { analyze } from './analyze.ts'
import { build } from './build.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { explain } from './explain.ts'
import { fetchTrees } from './fetch.ts'
import { ioreg } from './ioreg.ts'
import { list } from './list.ts'
import { matrix } from './matrix.ts'
import { optimize } from './optimize.ts'
import { replay } from './replay.ts'
import { run } from './run.ts'
import { test } from './test.ts'
import { traceRun } from './trace.ts'
import { worker } from './worker.ts'

export const commands: readonly Command[] = [
  demo,
  test,
  doctor,
  explain,
  fetchTrees,
  list,
  analyze,
  build,
  run,
  replay,
  traceRun,
  ioreg,
  optimize,
  matrix,
  worker,
]
