/**
 * Imports against the ABI, the manifest and allowance: a module asks for what exists, says so, and may have it.
 */
import { groups } from '../../linux-api/capabilities.ts'
import { describeType, type FuncType, type Import, type WasmModule } from '../wasm/module.ts'
import type { ManifestClaims, Allowance } from './allowance.ts'
import { at, type Problem } from './problem.ts'
import { WASI_MODULE, wasiType } from './wasi.ts'

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
function callType(name: string): FuncType | undefined {
  return name.startsWith('wasi.') ? wasiType(name.slice(5)) : abi.get(name)
}

/** A wasm import as a manifest names it. */
export function importName(item: { readonly module: string; readonly name: string }): string {
  return `${item.module === WASI_MODULE ? 'wasi' : item.module}.${item.name}`
}

/** An import that must be a call: it exists, and has its type. Its name; undefined when there is no such call. */
export function checkCall(module: WasmModule, item: Import, problems: Problem[]): string | undefined {
  const name = importName(item)
  const where = at(`import ${name}`, item.offset)
  const expected = item.module === 'wasi' ? undefined : callType(name)
  if (expected === undefined || item.kind !== 'func') {
    const message = `${item.kind === 'func' ? 'no such call' : `a ${item.kind}`}; only calls of the driver ABI and of WASI for files may be imported`
    problems.push({ code: 'unknown-import', where, message })
    return undefined
  }
  checkType(module, item, expected, where, problems)
  return name
}

/** A call that is imported is one the manifest lists, of a group that it asks for. */
export function checkDeclared(name: string, item: Import, manifest: ManifestClaims, problems: Problem[]): void {
  const where = at(`import ${name}`, item.offset)
  if (!manifest.imports.includes(name))
    problems.push({ code: 'not-in-manifest', where, message: 'the manifest does not list it' })
  else if (!manifest.capabilities.includes(groupOf(name)))
    problems.push({ code: 'not-in-manifest', where, message: `the manifest does not ask for group ${groupOf(name)}` })
}

export function checkType(
  module: WasmModule,
  item: Import,
  expected: FuncType,
  where: string,
  problems: Problem[],
): void {
  const actual = module.types[item.typeIndex ?? -1]
  if (actual !== undefined && describeType(actual) === describeType(expected)) return
  const found = actual === undefined ? 'none' : describeType(actual)
  problems.push({ code: 'import-type', where, message: `type ${describeType(expected)} expected, ${found} found` })
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

function groupOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('.')))
}
