/** What a command is going to fetch, told before it begins. */
import { InfrastructureError } from '../pipeline/errors.ts'
import type { Rung } from '../pipeline/ladder.ts'
import { probeHostTools } from '../pipeline/toolchain/host-packages.ts'
import { isHere } from '../pipeline/tree/index.ts'
import type { Context } from './context.ts'
import { bytes, waiting } from './output.ts'

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Says it where something is to be fetched; nothing otherwise. Of a computer without a network, opening a tree tells. */
export async function announce(context: Context, trees: readonly string[], until: Rung): Promise<void> {
  try {
    const here = await Promise.all(trees.map((tree) => isHere(tree)))
    const missing = trees.filter((_, i) => here[i] === false)
    if (missing.length === 0) return
    const { costsOf, PROGRAMS_BYTES, PROGRAMS_SECONDS } = await import('../pipeline/estimate.ts')
    const onProgress = ({ text }: { text: string }) => context.progress.update(text)
    const costs = await costsOf(missing, { files: 1, until }, { signal: context.signal, onProgress })
    const [compiler] = await probeHostTools(['clang'])
    const lacking = compiler?.found === false
    const what = costs.map(({ name, version, downloadBytes }) => `${name} (${version}, ${bytes(downloadBytes)})`)
    const all = [...what, ...(lacking ? [`Debian's compiler (${bytes(PROGRAMS_BYTES)})`] : [])]
    const seconds = sum(costs.map(({ coldSeconds }) => coldSeconds)) + (lacking ? PROGRAMS_SECONDS : 0)
    const disk = bytes(sum(costs.map(({ diskBytes }) => diskBytes)))
    context.progress.note(`to be fetched, once: ${all.join(', ')}; ${disk} on disk, about ${waiting(seconds)} in all`)
  } catch (error) {
    if (!(error instanceof InfrastructureError)) throw error
  }
}
