/**
 * Whose fault it is that a driver hangs: each of its fibers is asked where it waits, and the blame goes to a place in the
 * driver's own source when there is one. The driver ends of it.
 */
import { Failure } from '../../kernel/fault.ts'
import type { Trace } from '../../kernel/domain.ts'
import type { Driver } from '../driver.ts'

/** For fibers to find that they must wait again, virtual ns. */
const INTERROGATION_NS = 1e6

/** End a driver that does not do what it should, with `complaint` and the place where it waits. */
export async function condemn(driver: Driver, complaint: string): Promise<void> {
  const { domain } = driver
  const verdict = Failure.apart('hang', complaint)
  const traces = await driver.host.board.kernel.interrogate(domain, verdict, INTERROGATION_NS)
  const own = new Set(driver.pack.manifest.sources.map(({ path }) => path))
  const culprit = culpritOf(traces, own)
  if (culprit !== undefined) {
    const at = ownFrame(culprit, own)
    if (at !== undefined) verdict.message += `; ${culprit.fiber} waits in ${at.function} (${at.file}:${at.line})`
    verdict.stack = (culprit.error as Error).stack ?? ''
  }
  domain.fail(verdict)
}

/** A thread that waits in the driver's own code. */
const culpritOf = (traces: readonly Trace[], own: ReadonlySet<string>): Trace | undefined =>
  traces.find((trace) => ownFrame(trace, own) !== undefined)

const ownFrame = ({ frames }: Trace, own: ReadonlySet<string>): Trace['frames'][number] | undefined =>
  frames.find(({ file }) => own.has(file))
