/**
 * A manifest by itself against the ABI and policy: it names calls that exist, in groups that may be had. Reads no binary, for whoever
 * loads a package that was proved before asks for this alone.
 */
import { groups } from '../../linux-api/capabilities.ts'
import type { FuncType } from '../wasm/module.ts'
import type { ManifestClaims, Allowance } from './allowance.ts'
import type { Problem } from './problem.ts'
import { wasiType } from './wasi.ts'

/** Type of every ABI call, by `group.call`. All words are i32. */
const abi = new Map<string, FuncType>(
  groups.flatMap((group) =>
    group.calls.map((call): [string, FuncType] => [
      `${group.name}.${call.name}`,
      { params: call.params.map(() => 'i32'), results: call.result === 'void' ? [] : ['i32'] },
    ]),
  ),
)

/** Type of a call as a manifest names it (`mmio.read8`, `wasi.fd_write`); undefined when there is no such call. */
export function callType(name: string): FuncType | undefined {
  return name.startsWith('wasi.') ? wasiType(name.slice(5)) : abi.get(name)
}

/** The manifest by itself: it names calls that exist, in groups that policy grants. */
export function checkManifest(manifest: ManifestClaims, allowance: Allowance, problems: Problem[]): void {
  const allowed = new Set(allowance.groups)
  const known = new Set([...groups.map((g) => g.name), 'wasi'])
  for (const name of manifest.imports)
    if (callType(name) === undefined)
      problems.push({ code: 'manifest', where: `manifest import ${name}`, message: 'no such call in the driver ABI' })
  const asked = new Set([...manifest.capabilities, ...manifest.imports.map(groupOf)])
  for (const group of asked) {
    if (!known.has(group)) {
      if (manifest.capabilities.includes(group))
        problems.push({ code: 'manifest', where: `manifest capability ${group}`, message: 'no such group in the ABI' })
    } else if (!allowed.has(group)) {
      const message = `policy grants ${allowance.groups.join(', ')}; not ${group}`
      problems.push({ code: 'policy', where: `manifest capability ${group}`, message })
    }
  }
}

export function groupOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('.')))
}

/** What policy says against a manifest whose modules have been proved. */
export function policyProblems(manifest: ManifestClaims, allowance: Allowance): Problem[] {
  const problems: Problem[] = []
  checkManifest(manifest, allowance, problems)
  return problems
}
