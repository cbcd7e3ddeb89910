/**
 * The errors a person meets: usage mistakes and failures of the infrastructure.
 *
 * Each says what was expected, what was found, where, and what to do, and carries the exit status of the command line
 * (interfaces.md). A driver that fails to build is not an error of this kind: it is a result. Knows nothing of
 * commands, terminals or JSON.
 */

export interface ErrorFacts {
  /** What should have been there. */
  readonly expected?: string
  /** What was there instead. */
  readonly found?: string
  /** File, line, option or command that it concerns. */
  readonly where?: string
  /** What the reader can do now. */
  readonly todo?: string
  readonly cause?: unknown
}

export class DrvportError extends Error {
  readonly status: number
  readonly expected: string | undefined
  readonly found: string | undefined
  readonly where: string | undefined
  readonly todo: string | undefined

  constructor(status: number, message: string, facts: ErrorFacts = {}) {
    super(message, facts.cause === undefined ? undefined : { cause: facts.cause })
    this.name = new.target.name
    this.status = status
    this.expected = facts.expected
    this.found = facts.found
    this.where = facts.where
    this.todo = facts.todo
  }

  /** The whole report, one fact a line, the same everywhere. */
  describe(): string {
    const lines = [this.message]
    if (this.where !== undefined) lines.push(`  where:    ${this.where}`)
    if (this.expected !== undefined) lines.push(`  expected: ${this.expected}`)
    if (this.found !== undefined) lines.push(`  found:    ${this.found}`)
    if (this.cause instanceof Error) lines.push(`  because:  ${this.cause.message}`)
    if (this.todo !== undefined) lines.push(`  to do:    ${this.todo}`)
    return lines.join('\n')
  }
}

/** A driver failed or regressed: exit status 1. */
export class DriverFailure extends DrvportError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super(1, message, facts)
  }
}

/** Wrong usage or configuration: exit status 2. */
export class UsageError extends DrvportError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super(2, message, facts)
  }
}

/** What was asked for is there, but not for this tree: beside other trees it is a result. */
export class NotForTree extends UsageError {}

/** No tree, no compiler, disk full: exit status 3. */
export class InfrastructureError extends DrvportError {
  constructor(message: string, facts: ErrorFacts = {}) {
    super(3, message, facts)
  }
}

/** The user interrupted: exit status 130. What was finished is kept. */
export class Interrupted extends DrvportError {
  constructor(message = 'interrupted', facts: ErrorFacts = {}) {
    super(130, message, facts)
  }
}

const DISK = new Map([
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exhausted'],
  ['EROFS', 'the file system is read-only'],
  ['EACCES', 'permission denied'],
  ['EIO', 'input/output error'],
])

/** Wrap a file system error that is the machine's fault, not the driver's; anything else passes unchanged. */
export function asInfrastructure(error: unknown, where: string): unknown {
  if (error instanceof DrvportError) return error
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  const found = code === undefined ? undefined : DISK.get(code)
  if (found === undefined) return error
  const path = (error as NodeJS.ErrnoException).path
  return new InfrastructureError(`cannot write: ${found}`, {
    where: path ?? where,
    found,
    todo: 'free space or set DRVPORT_CACHE to a writable directory with room (about 4 GB)',
    cause: error,
  })
}

/** Throw Interrupted when the signal has fired. */
export function checkInterrupted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new Interrupted()
}
