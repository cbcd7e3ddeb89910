/**
 * What a tree may be called: `linux-6.1`, `linux-6.1@6.1.176` for a point release, `linux-unstable` for the newest that a
 * suite of Debian's has, or a path. Pure.
 */

/** Suites whose newest kernel has a name. */
const SUITE_NAMES: ReadonlyMap<string, string> = new Map([
  ['linux-oldstable', 'oldstable'],
  ['linux-stable', 'stable'],
  ['linux-testing', 'testing'],
  ['linux-unstable', 'unstable'],
  ['linux-backports', 'stable-backports'],
  ['linux-experimental', 'experimental'],
])

/** For messages and help. */
export const NAMES_FOR_PEOPLE = 'linux-X.Y, linux-X.Y@X.Y.Z, linux-unstable, linux-backports'

export interface TreeName {
  /** `linux-6.1` */
  readonly release: string
  /** `6.1.176`, for one point release. */
  readonly point?: string
}

/** A release, or a point release of it; undefined for any other name. */
export function parseTreeName(name: string): TreeName | undefined {
  const match = /^(linux-\d+\.\d+)(?:@(\d[\w.~+-]*))?$/.exec(name)
  if (match === null) return undefined
  const [, release = '', point] = match
  return point === undefined ? { release } : { release, point }
}

/** The suite whose newest kernel a name means. */
export const suiteOfName = (name: string): string | undefined => SUITE_NAMES.get(name)

/** `6.1.176` of Debian's `6.1.176-1`, `7.3~rc7` of `7.3~rc7-1~exp1`. */
export const upstreamOf = (version: string): string => version.replace(/-[^-]*$/, '')

/** Whether what is called `point` is this version of a package, or of the tree in it. */
export const isPoint = (point: string, version: string): boolean => version === point || upstreamOf(version) === point

/** Which of two Debian versions is newer, as dpkg has it: negative when `a` is older. Epochs are not used by kernels. */
export function compareVersions(a: string, b: string): number {
  const parts = (version: string): readonly string[] => version.match(/\d+|\D/g) ?? []
  const [left, right] = [parts(a), parts(b)]
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const [x, y] = [left[i], right[i]]
    if (x === y) continue
    if (x !== undefined && y !== undefined && /^\d/.test(x) && /^\d/.test(y)) {
      if (Number(x) !== Number(y)) return Number(x) - Number(y)
    } else return weight(x) - weight(y)
  }
  return 0
}

/** A tilde sorts before the end, letters after it, and what is neither last; the end itself counts as a number. */
function weight(part: string | undefined): number {
  if (part === undefined || /^\d/.test(part)) return 0
  if (part === '~') return -1
  return /[A-Za-z]/.test(part) ? part.charCodeAt(0) : part.charCodeAt(0) + 256
}
