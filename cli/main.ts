/**
 * Entry of the command line: errors and signals turned into exit statuses.
 *
 * Knows no command's work. Exit status: 0 as expected, 1 a driver failed, 2 usage, 3 infrastructure, 130 interrupted.
 */
import './inlining.ts'
import { hideBin } from 'yargs/helpers'
import { DrvportError, Interrupted } from '../pipeline/errors.ts'
import { commandsFor } from './commands/index.ts'
import { makeContext } from './context.ts'
import { configProblem, parser } from './parser.ts'

/**
 * Signals nearer than this are one request to stop, ms: `timeout`, service managers and terminals signal the process and
 * its group, which is the same process twice.
 */
const SAME_REQUEST_MS = 1000

/** Second Ctrl-C ends at once: everything written so far was written atomically. */
function abortOnSignal(): AbortSignal {
  const controller = new AbortController()
  let asked = 0
  const stop = (): void => {
    if (controller.signal.aborted) {
      if (performance.now() - asked > SAME_REQUEST_MS) process.exit(130)
      return
    }
    asked = performance.now()
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

tolerateClosedPipes()
const words = hideBin(process.argv)
const json = words.includes('--json')
try {
  const signal = abortOnSignal()
  const cli = parser(await commandsFor(words), async (command, common, argv) => {
    process.exitCode = await command.run(makeContext(common, signal), argv)
  })
  await cli.parseAsync(words)
} catch (error) {
  process.exitCode = report(configProblem() ?? error, json)
}
