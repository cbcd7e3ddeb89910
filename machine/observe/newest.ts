/**
 * Lists of what happened, which a machine that runs for months appends to: the newest is kept, whatever came before it goes. Who
 * waits for more of it remembers the last one that it saw, not a number. Knows nothing of what is in a list.
 */

/** Append; when there are twice as many as are kept at least, the older half goes. */
export function append<T>(list: T[], one: T, kept: number): void {
  list.push(one)
  if (list.length >= kept * 2) list.splice(0, list.length - kept)
}

/** What came after `last`: all that is kept, where nothing had come yet or it is too long ago. */
export function since<T>(list: readonly T[], last: T | undefined): readonly T[] {
  return last === undefined ? list : list.slice(list.lastIndexOf(last) + 1)
}
