import test from 'ava'
import { adoptKernelFlags, moduleFlags, prefixMaps } from '../../../pipeline/build/flags.ts'
import { nameOf } from '../../../pipeline/build/objects.ts'
import { parseDependencies } from '../../../pipeline/toolchain/diagnostics.ts'

test('kernel flags lose warnings, target and prefix maps, and their paths become absolute', (t) => {
  const flags = [
    '-I../include',
    '-I',
    './x',
    '-include',
    '../a.h',
    '-Wall',
    '-Werror=date-time',
    '--target=wasm32',
    '-Wp,-MMD,x.d',
  ]
  const kept = ['-O2', '-DX="a b"', '-fno-pie', '-mllvm', '-foo']
  t.deepEqual(adoptKernelFlags([...flags, ...kept, '-g', '-fmacro-prefix-map=../='], '/t/build'), [
    '-I/t/include',
    '-I',
    '/t/build/x',
    '-include',
    '/t/a.h',
    ...kept,
  ])
})

test('the memory checker is asked of the compiler itself, and told each setting once', (t) => {
  const adopted = adoptKernelFlags(
    ['-O2', '-fsanitize=kernel-address', '-mllvm', '-asan-stack=1', '-mllvm', '-foo'],
    '/t',
  )
  t.deepEqual(adopted.slice(0, 2), ['-O2', '-Xclang=-fsanitize=kernel-address'])
  t.is(adopted.filter((arg) => arg.startsWith('-asan-stack')).join(), '-asan-stack=0')
  t.deepEqual(adopted.slice(-2), ['-mllvm', '-foo'])
  t.false(adoptKernelFlags(['-O2'], '/t').some((arg) => arg.includes('asan')))
})

test('an inner root is mapped after the outer one, so that the last match is the closest', (t) => {
  const roots = [
    { dir: '/t/build', as: 'build/' },
    { dir: '/t', as: '' },
  ]
  t.deepEqual(prefixMaps(roots), ['-ffile-prefix-map=/t/=', '-ffile-prefix-map=/t/build/=build/'])
  t.is(nameOf(roots, '/t/build/a.c'), 'build/a.c')
  t.is(nameOf(roots, '/t/drivers/a.c'), 'drivers/a.c')
  t.is(nameOf(roots, '/usr/a.c'), '/usr/a.c')
})

test('module names become identifiers', (t) => {
  t.true(moduleFlags('snd-hda').includes('-D__this_module=__this_module__snd_hda'))
})

test('dependency lists: continuation, escaped spaces', (t) => {
  t.deepEqual(parseDependencies('object: /a.c \\\n  /b\\ c.h /d.h\n'), ['/a.c', '/b c.h', '/d.h'])
})
