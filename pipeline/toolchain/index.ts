/** Finding and choosing a toolchain: what is there, which one `auto` takes, and why. */

import { InfrastructureError } from '../errors.ts'
import { openClang, probeClang } from './clang.ts'
import type { Probe, Toolchain, ToolchainName } from './types.ts'

export * from './types.ts'

const PROBES: Readonly<Record<ToolchainName, (env: NodeJS.ProcessEnv) => Promise<Probe>>> = {
  clang: probeClang,
  emcc: async (env) => (await import('./emcc.ts')).probeEmcc(env),
  yowasp: async () => (await import('./yowasp.ts')).probeYowasp(),
}

/** What can be said of every toolchain without using it. */
export async function probeToolchains(env: NodeJS.ProcessEnv = process.env): Promise<Probe[]> {
  return Promise.all(Object.values(PROBES).map((probe) => probe(env)))
}

/** Open one by name. Throws InfrastructureError, saying how to get it, when it is not there. */
export async function openNamed(name: ToolchainName, env: NodeJS.ProcessEnv = process.env): Promise<Toolchain> {
  if (name === 'clang') return openClang(env)
  if (name === 'emcc') return (await import('./emcc.ts')).openEmcc(env)
  return (await import('./yowasp.ts')).openYowasp()
}

/**
 * Open what the user asked for. `auto` takes clang, which compiles fastest; then yowasp, which is always there after
 * npm install; emcc last, its clang being the oldest. `how` of the result says which and why.
 */
export async function openToolchain(
  wanted: ToolchainName | 'auto',
  env: NodeJS.ProcessEnv = process.env,
): Promise<Toolchain> {
  if (wanted !== 'auto') return openNamed(wanted, env)
  const missing: string[] = []
  for (const name of ['clang', 'yowasp', 'emcc'] as const) {
    const probe = await PROBES[name](env)
    if (probe.found) {
      const toolchain = await openNamed(name, env)
      const why = missing.length > 0 ? ` (${missing.join('; ')})` : ''
      return { ...toolchain, how: `auto: ${toolchain.how}${why}` }
    }
    missing.push(`no ${name}: ${probe.problem ?? 'not found'}`)
  }
  throw new InfrastructureError('no compiler', {
    expected: 'clang, yowasp or emcc',
    found: missing.join('; '),
    todo: 'see `drvport doctor`',
  })
}
