/**
 * Which modules of a tree are its own tests: KUnit suites wherever they are, and what the kernel's libraries and core are
 * tested with. Read from the sources that Kbuild lists, as the configuration has them compiled, and from names. Pure.
 */

import * as path from 'node:path'
import { resolveConditionals, type Config } from '../source/conditionals.ts'

/** A source that registers a suite, or says of itself that it is a test (include/kunit/test.h, kselftest_module.h). */
const REGISTERS = /^[ \t]*(?:kunit_test_(?:init_section_)?suites?|KSTM_MODULE_LOADERS)[ \t]*\(/m

/** A test by its name: test_bitmap, list-test, fortify_kunit, utf8-selftest. */
const NAMED = /^test[-_]|[-_](?:test|kunit|selftest)s?$/
/** Where a name says it: a driver so named wants the hardware that it tests. */
const CORE = /^(?:lib|kernel|mm|fs|net|crypto|block|ipc|security|samples)\//
const DIRECTORY = /\/(?:tests?|selftests?)\//

const INCLUDES = /^[ \t]*#[ \t]*include[ \t]+"[^"]+\.c"/m
const INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"]+\.c)"/gm

/** C files that a source includes. An include keeps its directive out of `resolveConditionals`: a call takes its place. */
export function includedSources(text: string, config: Config): string[] {
  if (!INCLUDES.test(text)) return []
  const marked = text.replaceAll(INCLUDE, 'included("$1")')
  const { text: compiled } = resolveConditionals(marked, config)
  return [...compiled.matchAll(/^included\("([^"]+)"\)/gm)].map(([, name]) => name as string)
}

/** Whether one of a module's sources, or what they include, registers a suite. */
export const registersSuite = (texts: readonly string[], config: Config): boolean =>
  texts.some((text) => REGISTERS.test(text) && REGISTERS.test(resolveConditionals(text, config).text))

/** `ko`: the module's path in the tree; `texts`: its sources and what they include. */
export function isTest(ko: string, texts: readonly string[], config: Config): boolean {
  if (registersSuite(texts, config)) return true
  return NAMED.test(path.basename(ko, '.ko')) && (CORE.test(ko) || DIRECTORY.test(ko))
}
