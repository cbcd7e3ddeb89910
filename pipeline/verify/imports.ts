/**
 * Imports against the ABI and the manifest: a module asks for what exists, and says so.
 */
import { describeType, type FuncType, type Import, type WasmModule } from '../wasm/module.ts'
import type { ManifestClaims } from './allowance.ts'
import { callType, groupOf } from './manifest.ts'
import { at, type Problem } from './problem.ts'
import { WASI_MODULE } from './wasi.ts'

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
