/**
 * What every command is given: the common options, an abort signal, progress and the one way to print a result.
 */
import type { Argv } from 'yargs'
import { progressOn } from './output.ts'
import type { Progress } from './output.ts'

export interface CommonArguments {
  readonly tree: string
  readonly toolchain: 'auto' | 'clang' | 'emcc' | 'yowasp'
  /** Configure the tree with its own lock checker. */
  readonly lockdep: boolean
  readonly seed: number
  readonly json: boolean
  readonly verbose: number
}

export interface Context extends CommonArguments {
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

export function makeContext(argv: CommonArguments, signal: AbortSignal): Context {
  const progress = progressOn()
  return {
    tree: argv.tree,
    toolchain: argv.toolchain,
    lockdep: argv.lockdep,
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
