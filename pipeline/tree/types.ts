/** A kernel tree as the rest of the pipeline sees it. */

export interface SourceTree {
  /** `linux-6.1`, or what the user called it. */
  readonly name: string
  /** From its Makefile: `6.1.192`. */
  readonly version: string
  /** Absolute path of the tree. Never written to. */
  readonly dir: string
  /** Equal ids mean equal build files. */
  readonly id: string
  /** Its files are what they were when it was fetched, write-protected since. Unset for a tree that is used where it lies. */
  readonly sealed?: true
  /** Where it came from, for people: a package and its version, or a path. */
  readonly origin: string
  /** SHA-256 of a file as it was fetched, by path in the tree; undefined where that is not known. */
  pristine(file: string): Promise<string | undefined>
}
