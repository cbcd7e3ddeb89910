/**
 * Objects made with precompiled headers are byte for byte those made without: of the tree's own files, and of small
 * ones that go about it in every way that could make a difference.
 */

import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { adoptKernelFlags, moduleFlags } from '../../pipeline/build/flags.ts'
import {
  compileContext,
  compileObject,
  prepareObjects,
  type CompileContext,
  type CompileJob,
} from '../../pipeline/build/objects.ts'
import type { Kbuild, KbuildModule } from '../../pipeline/kbuild/index.ts'
import { openNamed, TOOLCHAINS, type Toolchain } from '../../pipeline/toolchain/index.ts'
import { openTreeOnly } from '../../pipeline/workspace.ts'
import { testTree } from './tree.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-pch-'))
const tree = await testTree()
const clang = await openNamed('clang')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

/** Compile with an empty cache of its own, so that nothing is found there. */
async function compileAll(context: CompileContext, jobs: readonly CompileJob[], cache: string) {
  const before = process.env['DRVPORT_CACHE']
  process.env['DRVPORT_CACHE'] = path.join(dir, cache)
  try {
    const results = new Map<string, Awaited<ReturnType<typeof compileObject>>>()
    for (const job of jobs) results.set(job.source, await compileObject(context, job))
    return results
  } finally {
    if (before === undefined) delete process.env['DRVPORT_CACHE']
    else process.env['DRVPORT_CACHE'] = before
  }
}

/** Compile both ways; `planned` are all files that the precompiled headers are planned for. */
async function compare(
  t: ExecutionContext,
  toolchain: Toolchain,
  roots: CompileContext['roots'],
  planned: readonly CompileJob[],
  jobs: readonly CompileJob[],
) {
  const quick = compileContext(toolchain, roots)
  prepareObjects(
    quick,
    planned.map((job) => ({ source: job.source, job: () => job })),
  )
  const name = t.title.replaceAll(/\W+/g, '-')
  const fast = await compileAll(quick, jobs, `${name}-fast`)
  const plain = await compileAll({ ...compileContext(toolchain, roots), precompiler: undefined }, jobs, `${name}-plain`)
  for (const [source, expected] of plain) {
    const found = fast.get(source)
    t.true(expected.ok, `${source}: ${expected.detail}`)
    t.is(found?.sha256, expected.sha256, `${source} differs`)
    t.deepEqual(found?.inputs, expected.inputs, `${source} has other inputs`)
  }
  return quick.precompiler?.figures
}

/** Something large enough to be worth precompiling. */
const BULK = Array.from(
  { length: 6000 },
  (_, i) => `extern int declared_by_the_dozen_${i}(int, char *, struct thing *);`,
)

const HEADERS: Record<string, string> = {
  'bulk.h': ['#pragma once', 'struct thing;', ...BULK, ''].join('\n'),
  'say.h': `#ifndef SAY_H
#define SAY_H
#include <bulk.h>
#ifndef pr_fmt
#define pr_fmt(text) text
#endif
extern int say(const char *);
#define pr_info(text) say(pr_fmt(text))
static inline int complain(int x) { return x ? pr_info("something is quite wrong") : 0; }
static inline int sign(void) { return say(KBUILD_MODNAME); }
#endif
`,
  'module.h': `#ifndef MODULE_H
#define MODULE_H
struct module { int x; };
extern struct module __this_module;
#define THIS_MODULE (&__this_module)
static inline struct module *me(void) { return THIS_MODULE; }
#ifdef DEBUG
static inline int debugging(void) { return 1; }
#else
static inline int debugging(void) { return 0; }
#endif
#ifdef NUMBER
static inline int number(void) { return NUMBER; }
#else
static inline int number(void) { return 3; }
#endif
#endif
`,
  'number.h': '#ifndef NUMBER_H\n#define NUMBER_H\n#define NUMBER 7\n#endif\n',
  'count.h': '#pragma once\nstatic inline int count(void) { return __COUNTER__; }\n',
  'twice.h': '#ifdef AGAIN\nint again = __COUNTER__;\n#else\n#define AGAIN\nint first = __COUNTER__;\n#endif\n',
  'rename.h': '#define sign signature\n',
}

const LEADING = '#include <say.h>\n#include <module.h>\n'
const SOURCES: Record<string, string> = {
  plain1: `${LEADING}int f(void) { return debugging() + number() + __COUNTER__; }`,
  plain2: `${LEADING}struct module *g(void) { return THIS_MODULE; }`,
  plain3: `${LEADING}int line(void) { return __LINE__ + declared_by_the_dozen_7(1, 0, 0); }`,
  order: '#include <module.h>\n#include <say.h>\nint f(void) { return debugging() + number(); }',
  unused_format: `#define pr_fmt(text) "mine: " text\n${LEADING}int f(void) { return pr_info("hello"); }`,
  used_format: `#define pr_fmt(text) "mine: " text\n${LEADING}int f(int x) { return complain(x); }`,
  own_name: `${LEADING}int f(void) { return sign(); }`,
  own_module: `${LEADING}struct module *f(void) { return me() == THIS_MODULE ? me() : 0; }`,
  debug: `#define DEBUG\n${LEADING}int f(void) { return debugging(); }`,
  late_debug: `${LEADING}#define DEBUG\nint f(void) { return debugging(); }`,
  number_before: `#include <number.h>\n${LEADING}int f(void) { return number(); }`,
  number_after: `${LEADING}#include <number.h>\nint f(void) { return number() + NUMBER; }`,
  unguarded: `#include <twice.h>\n${LEADING}#include <twice.h>\n`,
  unguarded2: `#include <twice.h>\n${LEADING}#include <twice.h>\nint more;\n`,
  counts: `#include <count.h>\n${LEADING}int f(void) { return count() + __COUNTER__; }`,
  counts_late: `${LEADING}#include <count.h>\nint f(void) { return count() + __COUNTER__; }`,
  renames: `#include <rename.h>\n${LEADING}int f(void) { return signature(); }`,
  conditional: `#ifdef DEBUG\n#include <number.h>\n#endif\n${LEADING}int f(void) { return number(); }`,
  declares: `int complained;\n${LEADING}int f(void) { return complain(complained); }`,
}

for (const toolchainName of TOOLCHAINS)
  test.serial(`${toolchainName}: small files that try to make a difference`, async (t) => {
    const root = path.join(dir, toolchainName)
    const toolchain = await openNamed(toolchainName)
    t.teardown(() => toolchain.close())
    await fs.mkdir(path.join(root, 'include'), { recursive: true })
    for (const [name, text] of Object.entries(HEADERS)) await fs.writeFile(path.join(root, 'include', name), text)
    const jobs: CompileJob[] = []
    for (const [name, text] of Object.entries(SOURCES)) {
      const source = path.join(root, `${name}.c`)
      await fs.writeFile(source, `${text}\n`)
      const own = [`-DKBUILD_MODNAME="${name}"`, `-D__KBUILD_MODNAME=kmod_${name}`, ...moduleFlags(name)]
      jobs.push({ source, args: ['-nostdinc', `-I${root}/include`, '-std=gnu11', '-O2', '-DMODULE', ...own] })
    }
    const figures = await compare(t, toolchain, [{ dir: root, as: '' }], jobs, jobs)
    t.true((figures?.made ?? 0) > 0)
    t.true((figures?.used ?? 0) >= 8, JSON.stringify(figures))
  })

const jobsOf = ({ name, objects }: KbuildModule): CompileJob[] =>
  objects.map(({ source, args, cwd }) => ({ source, args: [...adoptKernelFlags(args, cwd), ...moduleFlags(name)] }))

/** Directories of modules, evenly spread over the tree, with enough files to plan for. */
function directories(tree: Kbuild, count: number): KbuildModule[][] {
  const byDirectory = Map.groupBy(tree.modules(), (module) => path.dirname(module.path))
  const large = [...byDirectory]
    .filter(([, modules]) => modules.length >= 12 && modules.length <= 60)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Array.from({ length: count }, (_, i) => large[Math.floor(((i + 0.5) * large.length) / count)]?.[1] ?? [])
}

/** Sources of a kind that is easily got wrong, one of each, and a few others. */
async function chooseJobs(jobs: readonly CompileJob[], others: number): Promise<CompileJob[]> {
  const texts = await Promise.all(jobs.map(({ source }) => fs.readFile(source, 'latin1').catch(() => '')))
  const kinds = [/^#define pr_fmt/m, /^#define DEBUG\b/m, /^#define CREATE_TRACE_POINTS/m]
  const special = kinds.flatMap((kind) => texts.findIndex((text) => kind.test(text)))
  const spread = Array.from({ length: others }, (_, i) => Math.floor(((i + 0.5) * jobs.length) / others))
  return [...new Set([...special, ...spread])].flatMap((index) => (jobs[index] === undefined ? [] : [jobs[index]]))
}

/** Enough of them with a precompiled header, and all as without. */
async function treeFiles(t: ExecutionContext, tree: Kbuild, count: number) {
  let used = 0
  let compiled = 0
  for (const modules of directories(tree, count)) {
    await tree.select(modules.map((module) => module.path))
    const planned = modules.flatMap(jobsOf)
    const jobs = await chooseJobs(planned, 4)
    const figures = await compare(t, clang, tree.roots, planned, jobs)
    used += figures?.used ?? 0
    compiled += jobs.length
  }
  t.true(compiled >= 4 * count, `only ${compiled} compiled`)
  t.true(used * 2 > compiled, `only ${used} of ${compiled} used a precompiled header`)
}

test.serial('files of the tree, from several of its directories', (t) => treeFiles(t, tree, 4))

test.serial(
  "files of a tree that has the compiler's own headers by -isystem, and others for atomic operations",
  async (t) => {
    const { tree: old } = await openTreeOnly({ tree: 'linux-5.10' })
    await treeFiles(t, old, 2)
  },
)
