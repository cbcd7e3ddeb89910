import * as fc from 'fast-check'
import test from 'ava'
import type { Header, Reading } from '../../../pipeline/build/headers.ts'
import { parseCommand } from '../../../pipeline/build/pch-command.ts'
import { findAnswers, findEffects, questionsFor } from '../../../pipeline/build/pch-effects.ts'
import { groupByDirectory, planClusters } from '../../../pipeline/build/pch-plan.ts'
import { conflict, meaningOf } from '../../../pipeline/build/pch-rules.ts'

interface Does {
  readonly defines?: readonly string[]
  readonly defaults?: readonly string[]
  readonly tests?: readonly string[]
  readonly counts?: boolean
  readonly size?: number
}

/** A header without includes. */
function header(id: number, does: Does = {}): Header {
  const forms = (names: readonly string[] = []) => new Map(names.map((name) => [name, 'plain'] as const))
  const section = { defines: forms(does.defines), defaults: forms(does.defaults), tested: new Set(does.tests ?? []) }
  const facts = { includes: [], sections: [section], guarded: true, counts: does.counts ?? false, size: does.size ?? 1 }
  return { id, file: id, path: `h${id}`, facts }
}

/** Headers read one after the other. */
function reading(entered: readonly Header[], own: Partial<Pick<Reading, 'defines' | 'tests'>> = {}): Reading {
  return {
    entered,
    firsts: new Map(entered.map(({ file }, i) => [file, i])),
    marks: entered.map((_, i) => i + 1),
    starts: entered.map((_, i) => i),
    sure: new Set(entered.map(({ id }) => id)),
    defines: own.defines ?? [],
    tests: own.tests ?? [],
  }
}

const asks = header(0, { tests: ['M'] })
const defines = header(1, { defines: ['M'] })
const other = header(2)

test('a macro that another header defines before one asks for it changes what it means; after it, not', (t) => {
  const meaning = meaningOf([asks, other])
  t.regex(conflict(reading([defines, asks, other]), meaning) ?? '', /h1 defines M/)
  t.is(conflict(reading([asks, defines, other]), meaning), undefined)
  t.is(conflict(reading([asks, other, defines]), meaning), undefined)
})

test('so does one that the file itself defines', (t) => {
  const meaning = meaningOf([asks, other])
  const at = (position: number) =>
    conflict(reading([asks, other], { defines: [{ name: 'M', form: 'plain', at: position }] }), meaning)
  t.is(at(0), 'defines M')
  t.is(at(1), undefined)
})

test('a default may be given before; a condition elsewhere must not come before the definition it asks about', (t) => {
  const fallback = header(3, { defaults: ['M'] })
  t.is(conflict(reading([defines, fallback]), meaningOf([fallback])), undefined)
  const meaning = meaningOf([defines])
  t.regex(conflict(reading([asks, defines]), meaning) ?? '', /h0 asks for M/)
  t.is(conflict(reading([defines, asks]), meaning), undefined)
  t.regex(conflict(reading([fallback, defines]), meaning) ?? '', /h3/)
})

test('an option of the configuration is never defined by hand', (t) => {
  const own = { defines: [{ name: 'CONFIG_PCI', form: 'plain' as const, at: 0 }] }
  t.is(conflict(reading([other], own), meaningOf([other])), 'defines CONFIG_PCI')
})

test('what gets numbered names must not be moved', (t) => {
  const counts = header(3, { counts: true })
  t.regex(conflict(reading([counts, other]), meaningOf([other])) ?? '', /counts/)
  t.is(conflict(reading([other, counts]), meaningOf([other])), undefined)
})

test('a macro not shown to be harmless is not', (t) => {
  const meaning = meaningOf([other])
  t.is(conflict(reading([defines, other]), meaning, { harmless: new Set(['M']), settled: new Set() }), undefined)
  t.regex(
    conflict(reading([defines, other]), meaningOf([other]), { harmless: new Set(), settled: new Set() }) ?? '',
    /h1 defines M/,
  )
})

test('a macro neither defined nor named by the headers may be defined once nothing asks for it any more', (t) => {
  const shown = { harmless: new Set(['M']), settled: new Set<string>() }
  t.is(conflict(reading([asks, defines, other]), meaningOf([asks, other]), shown), undefined)
  t.regex(conflict(reading([defines, asks, other]), meaningOf([asks, other]), shown) ?? '', /h1 defines M/)
})

test('a default comes too late for a macro that the headers have defined for good', (t) => {
  const fallback = header(3, { defaults: ['M'] })
  const known = { harmless: new Set<string>(), settled: new Set(['M']) }
  const none = { harmless: new Set<string>(), settled: new Set<string>() }
  const after = () => [meaningOf([defines, other]), reading([defines, fallback, other])] as const
  const [meaning, order] = after()
  t.is(conflict(order, meaning, known), undefined)
  t.regex(conflict(order, after()[0], none) ?? '', /h3 defines M/)
  t.regex(conflict(reading([fallback, defines, other]), after()[0], known) ?? '', /h3/)
  // A definition is no default.
  const again = header(4, { defines: ['M'] })
  t.regex(conflict(reading([defines, again, other]), after()[0], known) ?? '', /h4 defines M/)
})

test('answers in preprocessed text: defined, named, neither', (t) => {
  const names = new Set(['defined_one', 'named_one', 'unused_one'])
  const questions = questionsFor(names)
  t.regex(questions, /#ifdef unused_one\n/)
  const text = `int named_one;\nint drvport_marker_other;\n${questions.split('\n')[0]}\ndrvport_defined_defined_one\n`
  const { headers, defined, unused } = findAnswers(text, names)
  t.is(headers, 'int named_one;\nint drvport_marker_other;\n')
  t.deepEqual([...defined], ['defined_one'])
  t.deepEqual([...unused], ['unused_one'])
})

test('a command line is taken apart; what names the file itself makes no other kind', (t) => {
  const line = (name: string, ...more: string[]) =>
    parseCommand(['-nostdinc', '-I/i', '-I/j', '-include', '/k.h', '-D__KERNEL__', '-O2', `-DNAME="${name}"`, ...more])
  const command = line('a', '-I', '/own', '-Wall', '-ffile-prefix-map=/x/=')
  t.deepEqual(command?.search.dirs, ['/i', '/j', '/own'])
  t.is(command?.search.common, 2)
  t.deepEqual(command?.forced, ['/k.h'])
  t.is(command?.kind, line('b')?.kind)
  t.not(command?.kind, line('a', '-DDEBUG')?.kind)
  t.not(command?.kind, line('a', '-O0')?.kind)
  const system = line('a', '-isystem', '/compiler', '-I', '/own')
  t.deepEqual(system?.search.dirs, ['/i', '/j', '/own', '/compiler'], 'sought last, wherever it stands')
  t.not(system?.kind, command?.kind)
  t.is(parseCommand(['-isystem/x']), undefined)
  t.is(parseCommand(['-iquote', '/x']), undefined)
})

test('marks in preprocessed text: a renamed declaration, a text that can be found again, and what is neither', (t) => {
  const found = findEffects(`
typedef int x;
extern struct module drvport_marker_this_module;
static inline void *me(void) { return &drvport_marker_this_module; }
static inline void warn(void) { printk("\\001" drvport_marker_pr_fmt("something %d is " "wrong with this\\n")); }
static inline void small(void) { printk(drvport_marker_dev_fmt("no\\n")); }
int drvport_marker_size[3];
char *s = "drvport_marker_text";
extern int drvport_marker_both; char *t = "drvport_marker_both";
`)
  t.deepEqual([...found.renamed], [['this_module', 'extern struct module this_module;']])
  t.deepEqual([...found.witnesses], [['pr_fmt', ['something %d is ']]])
  t.deepEqual([...found.bad].toSorted(), ['both', 'dev_fmt', 'size', 'text'])
})

test('clusters: the headers of each are read by all its members, and contain its parent’s', (t) => {
  const sets = fc.array(fc.uniqueArray(fc.nat(30), { maxLength: 30 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(sets, fc.nat(3), (lists, refusing) => {
      const headers = Array.from({ length: 31 }, (_, id) =>
        header(id, { size: 300_000 * (1 + (id % 3)), counts: id === 5 }),
      )
      const units = lists.map((list, index) => ({ index, has: new Set(list) }))
      const clusters = planClusters({
        units,
        headers,
        headersOf: (unit) => unit.has,
        closure: (id) => [id],
        accepts: (unit) => unit.index % 4 !== refusing,
      })
      const placed = clusters.flatMap(({ members }) => members)
      t.is(new Set(placed).size, placed.length)
      for (const { headers: ids, parent, members } of clusters) {
        t.false(ids.has(5))
        for (const unit of members) {
          t.true([...ids].every((id) => unit.has.has(id)))
          t.not(unit.index % 4, refusing)
        }
        if (parent !== undefined) t.true([...parent.headers].every((id) => ids.has(id)) && clusters.includes(parent))
      }
    }),
  )
})

test('no cluster for too few files, one for many', (t) => {
  const headers = [header(0, { size: 1_000_000 }), header(1, { size: 1_000_000 })]
  const plan = (count: number) =>
    planClusters({
      units: Array.from({ length: count }, (_, i) => i),
      headers,
      headersOf: () => new Set([0, 1]),
      closure: (id) => [id],
      accepts: () => true,
    })
  t.is(plan(2).length, 0)
  t.is(plan(50).length, 1)
  t.is(plan(50)[0]?.members.length, 50)
})

test('files are planned by directory, small neighbours together', (t) => {
  const files = (dir: string, count: number) => Array.from({ length: count }, (_, i) => ({ source: `${dir}/${i}.c` }))
  const groups = groupByDirectory([
    ...files('/t/a', 900),
    ...files('/t/b/x', 10),
    ...files('/t/b/y', 20),
    ...files('/t/c', 390),
  ])
  t.deepEqual(
    groups.map((group) => group.length).toSorted((a, b) => a - b),
    [30, 390, 900],
  )
})
