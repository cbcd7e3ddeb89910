/** Options of `run` that would make something else of each other. */
import { UsageError } from '../pipeline/errors.ts'

const HERE = 'it is done by the machine in this Node; the same seed gives the same run on every engine'

const APART: readonly (readonly [a: string, b: string, why: string])[] = [
  ['engine', 'record', HERE],
  ['engine', 'policy', HERE],
  ['engine', 'replace-with', HERE],
  ['engine', 'post-mortem', HERE],
  ['engine', 'pace', HERE],
  ['engine', 'profile', 'a profile is made by this Node; it is as good for every engine'],
  ['engine', 'optimized', 'artefacts are bound to this Node'],
  ['optimized', 'record', 'a recording names the bytecode: record without --optimized'],
  ['optimized', 'profile', 'a profile is of the bytecode: count without --optimized'],
]

/** Throws UsageError. */
export function checkTogether(argv: Record<string, unknown>): void {
  const given = (name: string): boolean => {
    const value = argv[name]
    const none = value === undefined || value === false || (name === 'engine' && value === 'node')
    return !none && !(Array.isArray(value) && value.length === 0)
  }
  const found = APART.find(([a, b]) => given(a) && given(b))
  if (found === undefined) return
  const [a, b, todo] = found
  throw new UsageError(`--${a} and --${b} do not go together`, { expected: 'one of them', todo })
}
