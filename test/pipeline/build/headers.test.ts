import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { evaluate, HeaderGraph, scanHeader, scanSource } from '../../../pipeline/build/headers.ts'

const OPTIONS = new Set(['CONFIG_PCI', 'CONFIG_USB_MODULE'])
const known = (name: string) =>
  name.startsWith('CONFIG_') ? OPTIONS.has(name) : name === '__KERNEL__' ? true : undefined

const conditions: [text: string, truth: boolean | undefined][] = [
  ['defined(CONFIG_PCI)', true],
  ['defined CONFIG_ISA', false],
  ['IS_ENABLED(CONFIG_USB)', true],
  ['IS_BUILTIN(CONFIG_USB)', false],
  ['IS_MODULE(CONFIG_USB)', true],
  ['!defined(CONFIG_PCI) || defined(__KERNEL__)', true],
  ['defined(CONFIG_PCI) && defined(SOMETHING)', undefined],
  ['defined(CONFIG_ISA) && defined(SOMETHING)', false],
  ['0', false],
  ['CONFIG_ISA', false],
  ['CONFIG_HZ == 100', undefined],
  ['CONFIG_PCI > 0 && 0', false],
  ['BITS_PER_LONG == 64', undefined],
  ['__has_attribute(__fallthrough__)', undefined],
  ['IS_REACHABLE(CONFIG_PCI)', undefined],
  ['(defined(CONFIG_PCI)', undefined],
  ['A ? defined(CONFIG_PCI) : 1', undefined],
]
for (const [text, truth] of conditions)
  test(`#if ${text} is ${truth === undefined ? 'not known' : String(truth)}`, (t) => {
    t.is(evaluate(text, known), truth)
  })

test('an include counts where its conditions surely hold, and is possible where they cannot be decided', (t) => {
  const facts = scanHeader(
    `/* #include <comment.h> */
#ifndef GUARD_H
#define GUARD_H
#include <always.h>
#ifdef CONFIG_PCI
#  include "option.h" // yes
#else
#include <never.h>
#endif
#if defined(X) || \\
    defined(Y)
#include <perhaps.h>
#elif 0
#include <never.h>
#endif
#include MACRO
#endif
`,
    known,
  )
  t.true(facts.guarded)
  t.deepEqual(facts.includes, [
    { spelling: 'always.h', quoted: false, sure: true },
    { spelling: 'option.h', quoted: true, sure: true },
    { spelling: 'perhaps.h', quoted: false, sure: false },
  ])
})

test('macros are told by the section they are in: defined, given a default, asked for', (t) => {
  const facts = scanHeader(
    `#pragma once
#define A 1
#ifndef D
#define D(x) x
#endif
#include <one.h>
#ifdef ASKED
#undef A
#endif
#ifdef CONFIG_ISA
#define NEVER
#endif
`,
    known,
  )
  t.true(facts.guarded)
  const [before, after] = facts.sections
  t.deepEqual([...(before?.defines ?? [])], [['A', 'plain']])
  t.deepEqual([...(before?.defaults ?? [])], [['D', 'call']])
  t.deepEqual([...(before?.tested ?? [])], [])
  t.deepEqual([...(after?.defines ?? [])], [['A', 'plain']])
  t.deepEqual([...(after?.tested ?? [])], ['ASKED', 'A'])
})

test('a header without a guard is not guarded; one guarded by #if !defined is', (t) => {
  t.false(scanHeader('#define A\n', known).guarded)
  t.false(scanHeader('#ifndef A\n#define B\n#endif\n', known).guarded)
  t.true(scanHeader('#if !defined(A)\n#define A\n#endif\n', known).guarded)
  t.false(scanHeader('#if !defined(A) || defined(AGAIN)\n#define A\n#endif\n', known).guarded)
})

test('a source is followed up to its first declaration', (t) => {
  const steps = scanSource(
    `// SPDX
/* text
 */
#define pr_fmt(fmt) "x" fmt
#include <a.h>
#ifdef ODD
#include <b.h>
#endif
MODULE_LICENSE("GPL");
#include <late.h>
`,
    known,
  )
  t.deepEqual(steps, [
    { kind: 'define', name: 'pr_fmt', form: 'call' },
    { kind: 'include', spelling: 'a.h', quoted: false, sure: true },
    { kind: 'test', names: ['ODD'] },
    { kind: 'include', spelling: 'b.h', quoted: false, sure: false },
  ])
})

test('a file is entered once, under the name that finds it first, before what includes it goes on', async (t) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-headers-'))
  t.teardown(() => fs.rm(dir, { recursive: true }))
  const files: Record<string, string> = {
    'inc/a.h': '#pragma once\n#include <b.h>\n#define A\n#include "../own/c.h"\n',
    'inc/b.h': '#pragma once\n',
    'own/c.h': '#pragma once\n#ifdef X\n#include <d.h>\n#endif\n',
    'inc/d.h': '#pragma once\n',
  }
  for (const [name, text] of Object.entries(files)) {
    await fs.mkdir(path.join(dir, path.dirname(name)), { recursive: true })
    await fs.writeFile(path.join(dir, name), text)
  }
  const search = { dirs: [`${dir}/inc`], common: 1, key: `${dir}/inc` }
  const graph = new HeaderGraph(known)
  const steps = scanSource('#include <a.h>\n#include "c.h"\n#include <missing.h>\n#include <d.h>\n', known)
  const reading = graph.read(`${dir}/own/x.c`, [], steps, search)
  const short = (header: { path: string }) => header.path.slice(dir.length + 1)
  t.deepEqual(reading.entered.map(short), ['inc/a.h', 'inc/b.h', 'inc/../own/c.h', 'inc/d.h', 'inc/d.h'])
  t.deepEqual(
    [...reading.sure].map((id) => short(graph.headers[id] as { path: string })),
    ['inc/a.h', 'inc/b.h', 'inc/../own/c.h', 'inc/d.h'],
  )
})
