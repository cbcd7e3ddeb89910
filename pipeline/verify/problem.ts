/** What the verifier says about a module it refuses. */

export type ProblemCode =
  /** not a readable wasm file */
  | 'malformed'
  /** readable, but the engine's own validation refuses it */
  | 'invalid'
  /** uses a wasm feature that is not allowed */
  | 'feature'
  | 'too-large'
  | 'unknown-import'
  | 'import-type'
  | 'not-in-manifest'
  /** the manifest asks for something that does not exist */
  | 'manifest'
  /** the manifest asks for more than policy grants */
  | 'policy'
  /** the manifest describes another file */
  | 'hash'
  | 'memory'
  | 'table'
  | 'start-function'
  | 'missing-entry'
  | 'entry-type'
  | 'missing-global'
  | 'missing-shared'
  | 'no-fuel-check'
  | 'no-stack-check'
  /** a call that does not count what it may use of the engine's own stack, or not enough of it */
  | 'no-room-check'
  /** code writes a global that belongs to the machine */
  | 'tampering'
  /** a range of memory or of the table that is not the module's, or is another one's too */
  | 'range'
  /** what a core or a module is said to offer is not what it has */
  | 'symbols'
  /** the module is bound to another core, or to modules that are not there */
  | 'binding'

export interface Problem {
  readonly code: ProblemCode
  /** Function, import, export or section, with its file offset where it has one. */
  readonly where: string
  /** What was expected and what was found. */
  readonly message: string
}

/** `NAME at 0xOFFSET` */
export function at(name: string, offset: number): string {
  return `${name} at 0x${offset.toString(16)}`
}
