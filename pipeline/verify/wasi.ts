/**
 * The WASI preview 1 calls that may be imported, with their types: those by which a core reads files (shim/lower/files.c), each with
 * its bounds in linux-api/bounds.ts. There are no others, clocks, chance and output least of all.
 * Source: WASI preview 1, witx of wasi_snapshot_preview1. i = i32, I = i64; results follow the arrow.
 */
import type { FuncType, ValueType } from '../wasm/module.ts'

export const WASI_MODULE = 'wasi_snapshot_preview1'

const signatures: Record<string, string> = {
  fd_close: 'i>i',
  fd_pread: 'iiiIi>i',
  fd_prestat_get: 'ii>i',
  path_filestat_get: 'iiiii>i',
  path_open: 'iiiiiIIii>i',
}

const valueTypes: Record<string, ValueType> = { i: 'i32', I: 'i64' }

/** Type of an allowed WASI call; undefined when it is not allowed. */
export function wasiType(name: string): FuncType | undefined {
  const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined
  if (signature === undefined) return undefined
  const [params, results] = signature.split('>').map((list) => [...list].map((c) => valueTypes[c] as ValueType))
  return { params: params ?? [], results: results ?? [] }
}
