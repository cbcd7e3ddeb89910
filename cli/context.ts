/**
 * What every command is given: the common options, an abort signal, progress and the one way to print a result.
 */
import type { Argv } from 'yargs'
import { UsageError } from '../pipeline/errors.ts'
import type { Configuration } from '../pipeline/kbuild/configuration.ts'
import { progressOn } from './output.ts'
import type { Progress } from './output.ts'

export interface CommonArguments {
  readonly tree: string
  readonly toolchain: 'auto' | 'clang' | 'emcc' | 'yowasp'
  /** Configure the tree with one of its own checkers. */
  readonly check?: Configuration | undefined
  /** With that of locks. */
  readonly lockdep?: boolean
  readonly seed: number
  readonly json: boolean
  readonly verbose: number
}

export interface Context extends Omit<CommonArguments, 'lockdep'> {
  /** Aborts on Ctrl-C; what is finished is kept. */
  readonly signal: AbortSignal
  readonly progress: Progress
  /** Print the command's result: the document with --json, else the text made from it. */
  result<T>(document: T, text: (document: T) => string): void
}

export interface Command {
  /** yargs command string. */
  readonly usage: string
  readonly describe: string
  options?(argv: Argv): Argv
  /** Does it; returns the exit status. */
  run(context: Context, argv: Record<string, unknown>): Promise<number>
}

function checkOf({ check, lockdep }: CommonArguments): Configuration | undefined {
  if (lockdep !== true) return check
  if (check === undefined || check === 'lockdep') return 'lockdep'
  throw new UsageError('one checker watches a run', {
    found: `--lockdep with --check=${check}`,
    todo: 'run twice, with one of them each',
  })
}

export function makeContext(argv: CommonArguments, signal: AbortSignal): Context {
  const progress = progressOn()
  return {
    tree: argv.tree,
    toolchain: argv.toolchain,
    check: checkOf(argv),
    seed: argv.seed,
    json: argv.json,
    verbose: argv.verbose,
    signal,
    progress,
    result(document, text) {
      progress.done()
      process.stdout.write(argv.json ? `${JSON.stringify(document, null, 2)}\n` : `${text(document)}\n`)
    },
  }
}
