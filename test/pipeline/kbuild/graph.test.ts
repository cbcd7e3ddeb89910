import test from 'ava'
import { assembleGraph, moduleOrder, objectFlags, parseDirectory, parseDryRun } from '../../../pipeline/kbuild/graph.ts'
import { parseAutoConf } from '../../../pipeline/kbuild/index.ts'
import { shellWords } from '../../../pipeline/kbuild/words.ts'

const top = parseDirectory(`d .
s drivers
m drivers/modules.order late.o
oy init/main.o -nostdinc -DKBUILD_MODNAME='"main"'
f -nostdinc -I../include
`)

const drivers = parseDirectory(`d drivers
s drivers/net
m drivers/a.o drivers/net/modules.order drivers/multi.o
c drivers/multi.o drivers/one.o drivers/two.o drivers/one.o
om drivers/a.o -Wp,-MMD,drivers/.a.o.d -O2 -DMODULE -DKBUILD_BASENAME='"a"' -DKBUILD_MODNAME='"a"' -D__KBUILD_MODNAME=kmod_a
om drivers/one.o -O2 -DMODULE -DKBUILD_BASENAME='"one"' -DKBUILD_MODNAME='"multi"'
om drivers/two.o -O2 -DMODULE -DTWO='a b' -DKBUILD_BASENAME='"two"' -DKBUILD_MODNAME='"multi"'
g
`)

const net = parseDirectory('d drivers/net\ns\nm drivers/net/n.o\nom drivers/net/n.o -O2 -DMODULE\n')

test('modules come in the order of modules.order: a directory where its parent names it', (t) => {
  const order = moduleOrder(new Map([top, drivers, net].map((facts) => [facts.dir, facts])))
  t.deepEqual(order, ['drivers/a.o', 'drivers/net/n.o', 'drivers/multi.o', 'late.o'])
})

test('a composite module has its parts, each once; a simple one has itself', (t) => {
  const graph = assembleGraph([drivers, net, top])
  const objects = (ko: string) =>
    graph.modules.find((module) => module.path === ko)?.objects.map((index) => graph.objects[index]?.object)
  t.deepEqual(objects('drivers/multi.ko'), ['drivers/one.o', 'drivers/two.o'])
  t.deepEqual(objects('drivers/a.ko'), ['drivers/a.o'])
})

test('flags survive the compact form, less dependency output, quotes resolved', (t) => {
  const graph = assembleGraph([drivers, net, top])
  const flags = (object: string) =>
    objectFlags(
      graph,
      graph.objects.findIndex((entry) => entry.object === object),
    )
  t.deepEqual(flags('drivers/a.o'), [
    '-O2',
    '-DMODULE',
    '-DKBUILD_BASENAME="a"',
    '-DKBUILD_MODNAME="a"',
    '-D__KBUILD_MODNAME=kmod_a',
  ])
  t.deepEqual(flags('drivers/two.o'), [
    '-O2',
    '-DMODULE',
    '-DTWO=a b',
    '-DKBUILD_BASENAME="two"',
    '-DKBUILD_MODNAME="multi"',
  ])
  t.is(graph.flagSets.length, 3, 'equal flags are kept once')
  t.deepEqual(graph.baseFlags, ['-nostdinc', '-I../include'])
})

test('only a directory that generates something is marked', (t) => {
  const graph = assembleGraph([drivers, net, top])
  t.deepEqual(
    graph.objects.map(({ object, generates }) => [object, generates]),
    [
      ['drivers/a.o', true],
      ['drivers/one.o', true],
      ['drivers/two.o', true],
      ['drivers/net/n.o', false],
      ['init/main.o', false],
    ],
  )
})

test('shell words: quotes join, backslashes escape, an open quote is refused', (t) => {
  t.deepEqual(shellWords(`a  -D'x(y)=((void *)0)' "b \\"c\\" \\d" e\\ f ''`), [
    'a',
    '-Dx(y)=((void *)0)',
    'b "c" \\d',
    'e f',
    '',
  ])
  t.throws(() => shellWords(`a 'b`), { message: /unclosed '/ })
})

test('auto.conf: options that are on, text without its quotes', (t) => {
  const options = parseAutoConf('#\nCONFIG_HZ=250\nCONFIG_E1000=m\nCONFIG_CMDLINE="a b"\nCONFIG_EMPTY=""\n')
  t.deepEqual(
    [...options],
    [
      ['HZ', '250'],
      ['E1000', 'm'],
      ['CMDLINE', 'a b'],
      ['EMPTY', ''],
    ],
  )
})

test('a dry run tells which source an object is compiled from', (t) => {
  const text = `set -e; echo '  CC  a.o'; clang -O2 -D'X="y z"' -c -o drivers/x/gen/a.o ../drivers/y/a.c; ./scripts/basic/fixdep d
clang -c -o fs/b.o fs/b.c
clang -S -o kernel/bounds.s ../kernel/bounds.c
`
  t.deepEqual(
    [...parseDryRun(text)],
    [
      ['drivers/x/gen/a.o', '../drivers/y/a.c'],
      ['fs/b.o', 'fs/b.c'],
    ],
  )
})

test('an object below the directory that names it keeps that directory', (t) => {
  const deep = parseDirectory(`d drivers
m drivers/multi.o drivers/deep/own.o
c drivers/multi.o drivers/deep/one.o
om drivers/deep/one.o -DMODULE
om drivers/deep/own.o -DMODULE
`)
  const graph = assembleGraph([parseDirectory('d .\nm drivers/modules.order\n'), deep])
  t.deepEqual(
    graph.objects.map(({ object, dir }) => [object, dir]),
    [
      ['drivers/deep/one.o', 'drivers'],
      ['drivers/deep/own.o', 'drivers'],
    ],
  )
  t.deepEqual(graph.modules, [
    { path: 'drivers/multi.ko', objects: [0] },
    { path: 'drivers/deep/own.ko', objects: [1] },
  ])
})
