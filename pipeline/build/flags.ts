/**
 * Every compile and link flag that drvport adds to the kernel's own, in one place.
 *
 * The kernel's flags come from Kbuild and are taken over, less warnings and what a given clang does not know. Terms: a
 * *root* is a directory whose path must not show in the output; it is mapped to a short name, so that the same source
 * gives the same bytes wherever it lies.
 */

import * as path from 'node:path'
import { packageRoot } from '../root.ts'

export interface Root {
  /** Absolute directory. */
  readonly dir: string
  /** What its files are called in debug information and results: '' for the tree itself, else `name/`. */
  readonly as: string
  /** Nothing outside of it refers to it: only its own files are compiled with its prefix map. */
  readonly local?: boolean
  /** Of a local one: the directory whose files refer to it, where that is another one. */
  readonly users?: string
}

/** One instruction set for all toolchains, whatever their defaults, so that the verifier can hold binaries to it. */
const TARGET = ['--target=wasm32-wasi', '-mcpu=mvp', '-mbulk-memory', '-msign-ext', '-mmutable-globals']

/**
 * A NULL dereference reads address 0, which wasm allows: the compiler adds the check, and a failed one calls
 * `__ubsan_handle_type_mismatch_minimal_abort()`, which the lower half defines. Without tail merging every check keeps a call,
 * and so a source line, of its own.
 */
const CHECKS = [
  '-fsanitize=null',
  '-fsanitize-minimal-runtime',
  `-fsanitize-ignorelist=${path.join(packageRoot, 'linux-api', 'null-checks.list')}`,
  '-fno-sanitize-recover=null',
  '-mllvm',
  '-enable-tail-merge=0',
]

/** The kernel's own name of its memory checker, and what it says of how. */
const KASAN = '-fsanitize=kernel-address'
const isKasanSetting = (value: string): boolean => value.startsWith('-asan-')

/**
 * What it is for the compiler itself, whose driver refuses it for this target: each access calls the checker, frames and globals have
 * no surroundings of their own, and nothing is to be called beforehand.
 */
const KASAN_ADOPTED = [
  `-Xclang=${KASAN}`,
  ...['instrumentation-with-call-threshold=0', 'stack=0', 'globals=0', 'constructor-kind=none'].flatMap((setting) => [
    '-mllvm',
    `-asan-${setting}`,
  ]),
]

/** Line tables and inlining are what a backtrace needs; types would triple the objects. The last -g option decides. */
const DEBUG = ['-gdwarf-4', '-gline-tables-only', '-fdebug-compilation-dir=.']

/** Separate sections, so that the linker keeps only what is reached. */
const SECTIONS = ['-ffunction-sections', '-fdata-sections']

const LANGUAGE = [
  // The exports of a module are read from its source; the ELF sections they would emit mean nothing in wasm.
  '-D__DISABLE_EXPORTS',
  // Not implemented for this target; its users only print it.
  '-D__builtin_return_address(level)=((void *)0)',
]

/** A construct that LLVM has no wasm for ends the compiler: its report for LLVM's developers would fill the disk. */
const CRASH = ['-fno-crash-diagnostics']

/** The kernel's warnings are its authors' affair; what would change the meaning of the code is ours. */
const WARNINGS = [
  '-Wno-everything',
  '-Werror=implicit-function-declaration',
  '-Werror=implicit-int',
  '-Werror=return-type',
  '-Werror=incompatible-pointer-types',
]

/**
 * The last word about drivers from outside of the tree, most of whose authors know gcc alone: of a qualifier that is lost it only
 * warns, and clang has that among the incompatible pointers that a kernel makes errors.
 */
export const OUTSIDE_FLAGS: readonly string[] = ['-Wno-incompatible-pointer-types-discards-qualifiers']

/** Flags with a separate value, which belongs to them. */
const WITH_VALUE = new Set([
  '-include',
  '-isystem',
  '-I',
  '-idirafter',
  '-iquote',
  '-imacros',
  '-mllvm',
  '-Xclang',
  '-D',
  '-U',
])
const PATH_PREFIXES = ['-I', '-isystem', '-iquote', '-idirafter']

function absolutePath(value: string, cwd: string): string {
  return path.resolve(cwd, value)
}

/**
 * Kbuild's flags made independent of the working directory and of the compiler's version: relative paths become
 * absolute; warnings, dependency output, target, prefix maps and debug flags go, because ours replace them.
 */
export function adoptKernelFlags(args: readonly string[], cwd: string): string[] {
  const result: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (arg === '-o' || arg === '-MF' || arg === '-MT' || arg === '-target') {
      i++
      continue
    }
    if (WITH_VALUE.has(arg)) {
      const value = args[++i] ?? ''
      if (arg === '-D' || arg === '-U') result.push(arg + value)
      else if (arg === '-mllvm' && isKasanSetting(value)) continue
      else if (arg === '-mllvm' || arg === '-Xclang') result.push(arg, value)
      else result.push(arg, absolutePath(value, cwd))
      continue
    }
    if (isReplaced(arg)) continue
    if (arg === KASAN) {
      result.push(...KASAN_ADOPTED)
      continue
    }
    const prefix = PATH_PREFIXES.find((start) => arg.startsWith(start))
    result.push(prefix === undefined ? arg : prefix + absolutePath(arg.slice(prefix.length), cwd))
  }
  return result
}

/** Beginnings of flags that ours replace. */
const REPLACED = ['-Wp,-M', '--target=', '-g', '-fdebug-compilation-dir', '-D__builtin_return_address']
const REPLACED_WHOLE = new Set([
  ...LANGUAGE,
  '-c',
  '-w',
  '-M',
  '-MD',
  '-MMD',
  '-MP',
  '-fintegrated-as',
  '-Qunused-arguments',
])

function isReplaced(arg: string): boolean {
  const isWarning = /^-W(?!a,|p,|l,)/.test(arg)
  const isPrefixMap = /^-f(file|macro|debug)-prefix-map=/.test(arg)
  return isWarning || isPrefixMap || REPLACED_WHOLE.has(arg) || REPLACED.some((start) => arg.startsWith(start))
}

/** No path of this computer in the output: the longest root first, as compilers differ in which match they take. */
export function prefixMaps(roots: readonly Root[]): string[] {
  return roots
    .toSorted((a, b) => a.dir.length - b.dir.length)
    .map((root) => `-ffile-prefix-map=${root.dir}/=${root.as}`)
}

/**
 * What every object gets, after the kernel's own flags. The kernel's own idioms (container_of() of a NULL that stands at
 * offset 0) are what the checks for NULL refuse: `kernel` objects go without them.
 */
export function commonFlags(roots: readonly Root[], kernel = false): string[] {
  const checks = kernel ? [] : CHECKS
  return [...TARGET, ...LANGUAGE, ...SECTIONS, ...DEBUG, ...checks, ...CRASH, ...WARNINGS, ...prefixMaps(roots)]
}

/** A kernel name as a C identifier. */
export function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '_')
}

/** What a module's entries and its `struct module` are called in its objects. */
export function moduleEntries(name: string): { init: string; exit: string; self: string } {
  const id = identifier(name)
  return { init: `init_module__${id}`, exit: `cleanup_module__${id}`, self: `__this_module__${id}` }
}

/** Several modules are bound to one kernel, so what every module calls by one name gets the module's own. */
export function moduleFlags(name: string): string[] {
  const { init, exit, self } = moduleEntries(name)
  return [`-Dinit_module=${init}`, `-Dcleanup_module=${exit}`, `-D__this_module=${self}`]
}

export const STACK_BYTES = 65536

/** kfree_rcu() passes an offset below 4096 where a function is expected: no function may have such a number. */
export const TABLE_BASE = 4096
