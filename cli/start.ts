/**
 * What `drvport` runs: a command from the bundle of these sources, where there is one; from the sources otherwise, and then a bundle is made
 * for the next time. Both do the same.
 */
import { setFlagsFromString } from 'node:v8'
import './inlining.ts'
import { isBundled, openBundle, type Bundle } from './bundle.ts'

/**
 * A domain's memory counts as part of the heap: by itself it would have all of that collected, twice in a start, in which there is nothing
 * to be found.
 */
setFlagsFromString('--external-memory-accounted-in-global-limit')

const words = process.argv.slice(2)
const [command = ''] = words

/** Nothing that is kept can keep a command from running. */
function bundle(): Bundle | undefined {
  try {
    return isBundled(command) ? openBundle(command) : undefined
  } catch {
    return undefined
  }
}

/** What leaves the process by itself is shown as what a command throws. */
function showSources({ origin: { shown } }: Bundle): void {
  process.setUncaughtExceptionCaptureCallback((error) => {
    process.stderr.write(`${shown(error.stack ?? String(error))}\n`)
    process.exit(1)
  })
}

/** For the next time. Without it, that takes longer. */
async function keep(found: Bundle | undefined): Promise<void> {
  try {
    if (found !== undefined) found.keepCompiled()
    else if (isBundled(command)) await (await import('./make-bundle.ts')).makeBundle()
  } catch {
    // Nothing can be kept here, or esbuild is not installed.
  }
}

const found = bundle()
if (found !== undefined) showSources(found)
await (found?.main ?? (await import('./command-line.ts')).main)(words, found?.origin)
if (process.exitCode === 0) await keep(found)
