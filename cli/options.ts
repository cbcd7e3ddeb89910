/** Options of every command. */
import type { Argv } from 'yargs'
import { UsageError } from '../pipeline/errors.ts'
import { CONFIGURATIONS } from '../pipeline/kbuild/configuration.ts'
import type { Command, CommonArguments } from './context.ts'

export const commonOptions = (argv: Argv): Argv =>
  argv
    .option('tree', {
      type: 'string',
      default: 'linux-6.1',
      describe: 'kernel tree: a name (linux-X.Y, linux-X.Y@X.Y.Z), a path or a tarball; build, matrix, explain: A,B,C',
      global: true,
    })
    .option('toolchain', {
      choices: ['auto', 'clang', 'emcc', 'yowasp'] as const,
      default: 'auto' as const,
      describe: 'compiler',
    })
    .option('check', {
      choices: CONFIGURATIONS,
      describe:
        "configure the tree so that its own checker watches, and a report is the driver's fault: every lock (lockdep), every access to memory (kasan); kunit: for all of the tree's own tests",
    })
    .option('lockdep', { type: 'boolean', default: false, describe: 'the same as --check=lockdep' })
    .option('seed', { type: 'number', default: 1, describe: 'seed of everything that is left to chance' })
    .option('json', { type: 'boolean', default: false, describe: 'print exactly one JSON document' })
    .option('verbose', { alias: 'v', type: 'count', default: 0, describe: 'say more' })

/** A command, and what it was given. */
export interface Asked {
  readonly command: Command
  readonly common: CommonArguments
  readonly argv: Record<string, unknown>
}

/** Throws UsageError. */
export function asked(command: Command, argv: Record<string, unknown>): Asked {
  const common = argv as unknown as CommonArguments
  if (!Number.isSafeInteger(common.seed)) {
    throw new UsageError('--seed takes a whole number', {
      found: String(common.seed),
      todo: 'give one, as in --seed 7',
    })
  }
  return { command, common, argv }
}
