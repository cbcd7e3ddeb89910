/**
 * Tells V8's garbage collector how to count the memories of drivers.
 *
 * Left alone it begins a collection of everything whenever 64 MiB of array buffers are new: that is one driver's memory,
 * so each start of a driver would pay for one, 5 to 20 ms beside a restart of 3. Counted with the rest of the heap they
 * come in when that has grown by its usual factor.
 *
 * For processes with some tens of drivers. With hundreds alive the heap is always over what V8 would like to have.
 */
import { setFlagsFromString } from 'node:v8'

/** V8 13 and 14 (Node 24 to 26) know the flag; one that does not says so on stderr. */
const KNOWN = new Set(['13', '14'])

export function countMemoriesWithHeap(): void {
  if (!KNOWN.has(process.versions.v8.split('.')[0]!)) return
  setFlagsFromString('--external-memory-accounted-in-global-limit')
}
