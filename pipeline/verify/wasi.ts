/**
 * The WASI preview 1 calls a driver module may import, with their types.
 *
 * Files, arguments and output only. Clocks, chance, sockets and polling are left out on purpose: time comes from the
 * driver ABI's own calls, or runs would not repeat.
 * Source: WASI preview 1, witx of wasi_snapshot_preview1. i = i32, I = i64; results follow the arrow.
 */
import type { FuncType, ValueType } from '../wasm/module.ts'

export const WASI_MODULE = 'wasi_snapshot_preview1'

const signatures: Record<string, string> = {
  args_get: 'ii>i',
  args_sizes_get: 'ii>i',
  environ_get: 'ii>i',
  environ_sizes_get: 'ii>i',
  fd_advise: 'iIIi>i',
  fd_close: 'i>i',
  fd_fdstat_get: 'ii>i',
  fd_fdstat_set_flags: 'ii>i',
  fd_filestat_get: 'ii>i',
  fd_pread: 'iiiIi>i',
  fd_prestat_dir_name: 'iii>i',
  fd_prestat_get: 'ii>i',
  fd_pwrite: 'iiiIi>i',
  fd_read: 'iiii>i',
  fd_readdir: 'iiiIi>i',
  fd_seek: 'iIii>i',
  fd_sync: 'i>i',
  fd_tell: 'ii>i',
  fd_write: 'iiii>i',
  path_filestat_get: 'iiiii>i',
  path_open: 'iiiiiIIii>i',
  path_readlink: 'iiiiii>i',
  proc_exit: 'i>',
}

const valueTypes: Record<string, ValueType> = { i: 'i32', I: 'i64' }

/** Type of an allowed WASI call; undefined when it is not allowed. */
export function wasiType(name: string): FuncType | undefined {
  const signature = Object.hasOwn(signatures, name) ? signatures[name] : undefined
  if (signature === undefined) return undefined
  const [params, results] = signature.split('>').map((list) => [...list].map((c) => valueTypes[c] as ValueType))
  return { params: params ?? [], results: results ?? [] }
}
