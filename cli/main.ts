/**
 * Entry of the command line: options everywhere, one file per command, errors and signals turned into exit statuses.
 *
 * Knows no command's work. Exit status: 0 as expected, 1 a driver failed, 2 usage, 3 infrastructure, 130 interrupted.
 */
import yargs from 'yargs'
import { hideBin } from 'yargs/helpers'
import type { Argv } from 'yargs'
import { readFileSync } from 'node:fs'
import { DrvportError, Interrupted, UsageError } from '../pipeline/errors.ts'
import { commands } from './commands/index.ts'
import { makeContext } from './context.ts'
import type { Command, CommonArguments } from './context.ts'

/** Second Ctrl-C ends at once: everything written so far was written atomically. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\ninterrupted: keeping what is finished (press Ctrl-C again to stop at once)\n')
    controller.abort(new Interrupted())
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return controller.signal
}

/** One report for every failure: text on stderr, and with --json one document on stdout. */
function report(error: unknown, json: boolean): number {
  if (error instanceof DrvportError) {
    process.stderr.write(`drvport: ${error.describe()}\n`)
    if (json) process.stdout.write(`${JSON.stringify(errorDocument(error), null, 2)}\n`)
    return error.status
  }
  const bug = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(`drvport: internal error, please report it\n${bug}\n`)
  if (json)
    process.stdout.write(`${JSON.stringify({ schema: 'drvport.error/1', status: 3, message: String(error) })}\n`)
  return 3
}

const errorDocument = ({ status, message, where, expected, found, todo }: DrvportError): object => ({
  schema: 'drvport.error/1',
  status,
  message,
  where,
  expected,
  found,
  todo,
})

function readConfig(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  } catch (cause) {
    throw new UsageError(`cannot read the configuration file ${path}`, {
      expected: 'a JSON object of options',
      where: path,
      cause,
    })
  }
}

const parser = (signal: AbortSignal): Argv => {
  let cli: Argv = yargs()
    .scriptName('drvport')
    .usage('$0 COMMAND: unmodified Linux drivers in WebAssembly sandboxes on a modelled machine')
    .option('tree', {
      type: 'string',
      default: 'linux-6.1',
      describe: 'kernel tree: a name, a path or a tarball',
      global: true,
    })
    .option('toolchain', {
      choices: ['auto', 'clang', 'emcc', 'yowasp'] as const,
      default: 'auto' as const,
      describe: 'compiler',
    })
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
  for (const command of commands) cli = addCommand(cli, command, signal)
  return cli
}

function addCommand(cli: Argv, command: Command, signal: AbortSignal): Argv {
  return cli.command(
    command.usage,
    command.describe,
    (argv) => command.options?.(argv) ?? argv,
    async (argv) => {
      const common = argv as unknown as CommonArguments
      if (!Number.isSafeInteger(common.seed)) {
        throw new UsageError('--seed takes an integer', { found: String(common.seed) })
      }
      process.exitCode = await command.run(makeContext(common, signal), argv)
    },
  )
}

const words = hideBin(process.argv)
const json = words.includes('--json')
try {
  await parser(abortOnSignal()).parseAsync(words)
} catch (error) {
  process.exitCode = report(error, json)
}
