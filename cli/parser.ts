/**
 * What may be said on the command line, as yargs reads it: options everywhere, one file per command. Parses, and runs nothing.
 * Whoever asks for nothing unusual is understood without it (plain-words.ts).
 */
import { readFileSync } from 'node:fs'
import yargs, { type Argv } from 'yargs'
import { UsageError } from '../pipeline/errors.ts'
import type { Command } from './context.ts'
import { asked, commonOptions, type Asked } from './options.ts'

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

/** What a command line asks for; undefined where yargs has answered itself, as of --help. Throws UsageError. */
export async function parse(commands: readonly Command[], words: readonly string[]): Promise<Asked | undefined> {
  let found: Asked | undefined
  const named = yargs()
    .scriptName('drvport')
    .usage('$0 COMMAND: unmodified Linux drivers in WebAssembly sandboxes on a modelled machine')
  let cli: Argv = commonOptions(named)
    .config('config', 'JSON file of option values', readConfig)
    .strict()
    .demandCommand(1, 'say which command; `drvport --help` lists them')
    .recommendCommands()
    .help()
    .alias('help', 'h')
    .fail((message, error) => {
      throw error ?? new UsageError(message, { todo: 'see `drvport --help`, or `drvport COMMAND --help`' })
    })
  for (const command of commands)
    cli = cli.command(
      command.usage,
      command.describe,
      (argv) => command.options?.(argv) ?? argv,
      // It is done when yargs is through: of a handler that takes its time, yargs writes all of --help first.
      (argv) => void (found = asked(command, argv)),
    )
  await cli.parseAsync(words)
  return found
}
