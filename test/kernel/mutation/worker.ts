/**
 * A process that loads the kernel with one mutant in it and asks the judges, again and again.
 *
 * Every mutant has its own copy of the kernel and of the judges: module addresses carry its number, so nothing of another
 * is left. A loop without end is seen by counting; a wait without end by there being nothing more to do.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { type Judge, placeOf } from './judges.ts'
import { apply, countLoops, type Mutant, strip } from './mutants.ts'

export interface Order {
  readonly file: string
  readonly mutant: Mutant | undefined
  readonly seed: number
  readonly efforts: readonly Effort[]
}

export interface Effort {
  readonly runs: number
  readonly length: number
}

export interface Verdict {
  /** Who caught it, and how; undefined when nobody did. */
  readonly caught: string | undefined
  readonly ms: number
}

const root = process.argv[2]!
/** How often loops may go round: in tests, in an operation of a model, and with few of those. Healthy ones do a half of it at most. */
const TICKS_MAX_TESTS = 1_000_000
const TICKS_MAX_OPERATION = 1250
const TICKS_MAX_FEW = 5_000_000
const SILENCE_MS = 3000

let [ticks, ticksMax] = [0, TICKS_MAX_TESTS]
Object.assign(globalThis, {
  drvportMutationTick: () => {
    if (++ticks > ticksMax) throw new RangeError('a loop without end')
  },
})
fc.configureGlobal({ endOnFailure: true })

let order: { readonly number: number; readonly file: string; readonly mutant: Mutant | undefined }
const stripped = new Map<string, string>()

function codeOf(path: string): string {
  let code = stripped.get(path)
  if (code === undefined) {
    code = strip(readFileSync(path, 'utf8'))
    stripped.set(path, code)
  }
  return code
}

/** Folders whose modules each mutant has copies of: what is mutated, and who judges it. */
const OURS = [
  'kernel/',
  'hw/',
  'machine/reach/',
  'pipeline/verify/',
  'test/kernel/',
  'test/hw/',
  'test/machine/reach/',
  'test/pipeline/verify/',
]
const isOurs = (url: string): boolean => OURS.some((folder) => url.startsWith(`file://${root}${folder}`))

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === 'ava')
      return { url: `file://${root}test/kernel/mutation/ava.ts?mutant=${order.number}`, shortCircuit: true }
    const found = next(specifier, context)
    const numbered = context.parentURL?.includes('?mutant=') && isOurs(found.url) && !found.url.includes('?')
    return numbered ? { ...found, url: `${found.url}?mutant=${order.number}` } : found
  },
  load(url, context, next) {
    if (!url.includes('?mutant=')) return next(url, context)
    const path = fileURLToPath(url.slice(0, url.indexOf('?')))
    const code = codeOf(path)
    // A test, too, may go round for ever where the kernel never says no.
    const counts = !path.startsWith(`${root}test/`) || path.endsWith('.test.ts')
    if (!counts) return { format: 'module', source: code, shortCircuit: true }
    const mutated = order.mutant !== undefined && path === root + placeOf(order.file) ? apply(code, order.mutant) : code
    return { format: 'module', source: countLoops(mutated), shortCircuit: true }
  },
})

async function hold({ judge, once }: Judge, { runs, length }: Effort, seed: number): Promise<void> {
  if (once) return void (await judge(runs, length, seed))
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('a wait without end')), SILENCE_MS)
  })
  try {
    await Promise.race([judge(runs, length, seed), silence])
  } finally {
    clearTimeout(timer)
  }
}

async function verdict({ file, efforts, seed }: Order): Promise<string | undefined> {
  try {
    const { JUDGES } = (await import(`file://${root}test/kernel/mutation/judges.ts?mutant=${order.number}`)) as {
      JUDGES: Record<string, readonly Judge[]>
    }
    for (const [again, effort] of efforts.entries())
      for (const judge of JUDGES[file]!) {
        if (judge.once && again > 0) continue
        ticks = 0
        ticksMax = judge.once
          ? (judge.loopsMax ?? TICKS_MAX_TESTS)
          : Math.max(TICKS_MAX_FEW, effort.runs * effort.length * TICKS_MAX_OPERATION)
        try {
          await hold(judge, effort, seed)
        } catch (error) {
          return `${judge.name}${judge.once ? '' : `, ${effort.runs} x ${effort.length}`}: ${String(
            (error as Error).message,
          )
            .split('\n')
            .at(-1)}`
        }
      }
    return undefined
  } catch (error) {
    return `loading: ${(error as Error).message}`
  }
}

let number = 0
process.on('message', (next: Order) => {
  order = { number: ++number, file: next.file, mutant: next.mutant }
  const start = performance.now()
  void verdict(next).then((caught) => process.send!({ caught, ms: performance.now() - start }))
})
// What a mutant leaves behind in promises is part of its mistake, not of this process.
process.on('unhandledRejection', () => undefined)
