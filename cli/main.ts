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

const errorDocument = ({ status, message, where, expected, found, cause, todo }: DrvportError): object => ({
  schema: 'drvport.error/1',
  status,
  message,
  where,
  expected,
  found,
  because: cause instanceof Error ? cause.message : undefined,
  todo,
})

/** What is wrong with the configuration file: yargs keeps only the message of what a reader throws. */
let badConfig: UsageError | undefined

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

/** Readers of our output may leave early (`drvport list | head -1`): not an error, and nobody is there to hear of it. */
function tolerateClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      process.exitCode = 3
      if (stream === process.stdout) process.stderr.write(`drvport: cannot write the result: ${error.message}\n`)
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
        throw new UsageError('--seed takes a whole number', {
          found: String(common.seed),
          todo: 'give one, as in --seed 7',
        })
      }
      process.exitCode = await command.run(makeContext(common, signal), argv)
    },
  )
}

tolerateClosedPipes()
const words = hideBin(process.argv)
const json = words.includes('--json')
try {
  await parser(abortOnSignal()).parseAsync(words)
} catch (error) {
  process.exitCode = report(badConfig ?? error, json)
}
