/**
 * What may be said on the command line: options everywhere, one file per command. Parses, and runs nothing.
 */
import { readFileSync } from 'node:fs'
import yargs, { type Argv } from 'yargs'
import { UsageError } from '../pipeline/errors.ts'
import { CONFIGURATIONS } from '../pipeline/kbuild/configuration.ts'
import type { Command, CommonArguments } from './context.ts'

/** What is wrong with the configuration file: yargs keeps only the message of what a reader throws. */
let badConfig: UsageError | undefined
export const configProblem = (): UsageError | undefined => badConfig

function readConfig(path: string): Record<string, unknown> {
  const refuse = (facts: { found?: string; cause?: unknown }): never => {
    badConfig = new UsageError('cannot use the configuration file', {
      where: path,
      expected: 'a JSON object of options, such as {"tree": "linux-6.1", "seed": 1}',
      ...facts,
      todo: 'correct the file, or leave out --config',
    })
    throw badConfig
  }
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    return refuse({ cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse({ found: JSON.stringify(value) })
  return value as Record<string, unknown>
}

/** Does a command with its options, and everything after the parsing. */
export type Perform = (command: Command, common: CommonArguments, argv: Record<string, unknown>) => Promise<void>

/** The command line as yargs parses it; `perform` gets what was given. Throws UsageError. */
export function parser(commands: readonly Command[], perform: Perform): Argv {
  let cli: Argv = yargs()
    .scriptName('drvport')
    .usage('$0 COMMAND: unmodified Linux drivers in WebAssembly sandboxes on a modelled machine')
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
    .config('config', 'JSON file of option values', readConfig)
    .strict()
    .demandCommand(1, 'say which command; `drvport --help` lists them')
    .recommendCommands()
    .help()
    .alias('help', 'h')
    .fail((message, error) => {
      throw error ?? new UsageError(message, { todo: 'see `drvport --help`, or `drvport COMMAND --help`' })
    })
  for (const command of commands) cli = addCommand(cli, command, perform)
  return cli
}

function addCommand(cli: Argv, command: Command, perform: Perform): Argv {
  return cli.command(
    command.usage,
    command.describe,
    (argv) => command.options?.(argv) ?? argv,
    async (argv) => {
      const common = argv as unknown as CommonArguments
      if (!Number.isSafeInteger(common.seed)) {
        throw new UsageError('--seed takes a whole number', {
          found: String(common.seed),
          todo: 'give one, as in --seed 7',
        })
      }
      await perform(command, common, argv)
    },
  )
}
