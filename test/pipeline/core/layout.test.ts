/** The order of the kernel's tables, from its linker script: unit tests. */
import test from 'ava'
import { layoutSource, placesOf, readScript } from '../../../pipeline/core/layout.ts'

const SCRIPT = `SECTIONS
{
 . = 0;
 _stext = .;
 .text : { *(.text .text.*) }
 .init.data : AT(ADDR(.init.data) - 0) { *(.init.data) . = ALIGN(16); __setup_start = .; KEEP(*(.init.setup)) __setup_end = .;
   __initcall_start = .; KEEP(*(.initcallearly.init)) __initcall0_start = .; KEEP(*(.initcall0.init)) KEEP(*(.initcall0s.init)) __initcall_end = .; }
 .rodata : { *(.rodata) __sched_class_highest = .; *(__stop_sched_class) *(__idle_sched_class) __sched_class_lowest = .; KEEP(*(SORT(___ksymtab+*))) }
 /DISCARD/ : { *(.note.GNU-stack) gone = .; }
 _end = .;
}`

test('symbols and sections are read in their order, and what is discarded is not', (t) => {
  const items = readScript(SCRIPT)
  t.deepEqual(items[0], { symbol: '_stext' })
  t.true(items.some((item) => 'sections' in item && item.sections.includes('.initcall0s.init')))
  t.false(items.some((item) => 'symbol' in item && item.symbol === 'gone'))
})

test('a table lies between its bounds; a symbol that bounds no table is loose', (t) => {
  const wanted = new Set(['_stext', '__setup_start', '__setup_end', '__initcall_start', '__initcall_end', '_end'])
  const { places, loose } = placesOf(readScript(SCRIPT), wanted)
  t.deepEqual(places.slice(0, 3), [
    { symbols: ['__setup_start'] },
    { section: '.init.setup' },
    { symbols: ['__setup_end', '__initcall_start'] },
  ])
  t.deepEqual(loose, ['_stext', '_end'])
})

test('symbols nobody wants are not defined', (t) => {
  const source = layoutSource(SCRIPT, new Set(['__sched_class_highest', '__sched_class_lowest']))
  t.true(source.includes('__sched_class_lowest:'))
  t.false(source.includes('__setup_start'))
  const order = [
    '__sched_class_highest:',
    '.section __stop_sched_class',
    '.section __idle_sched_class',
    '__sched_class_lowest:',
  ]
  const at = order.map((text) => source.indexOf(text))
  t.deepEqual(
    at,
    at.toSorted((a, b) => a - b),
  )
  t.true(at.every((place) => place >= 0))
})
