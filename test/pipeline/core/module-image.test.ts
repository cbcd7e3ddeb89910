/** What the kernel's module loader is told of a bound module. */
import test from 'ava'
import { module_image as head, module_section as row } from '../../../linux-api/generated/abi.ts'
import type { BoundModule } from '../../../pipeline/bind/index.ts'
import { moduleImage } from '../../../pipeline/core/module-image.ts'

const bound = (sections: readonly (readonly [string, number, number])[]) =>
  ({
    name: 'some-driver',
    self: 0x20000,
    init: 5000,
    modinfo: ['license=GPL'],
    sections: new Map(sections.map(([name, start, end]) => [name, { start, end }])),
  }) as unknown as BoundModule

/** The rows, as the loader lays them out: each behind the one before it, aligned. */
function laidOut(image: Uint8Array, moduleBytes: number) {
  const view = new DataView(image.buffer)
  const word = (at: number) => view.getUint32(at, true)
  let end = word(head.place.offset) + moduleBytes
  const rows = Array.from({ length: word(head.sections.offset) }, (_, i) => {
    const at = head.size + i * row.size
    const align = word(at + row.align.offset)
    const start = Math.ceil(end / align) * align
    end = start + word(at + row.bytes.offset)
    return { start, address: word(at + row.address.offset), end }
  })
  return { rows, end, bytes: word(head.place_bytes.offset) }
}

test('the loader puts every table where it is, in whole pages', (t) => {
  const { rows, end, bytes } = laidOut(
    moduleImage(
      bound([
        ['__param', 0x20f90, 0x20fc0],
        ['__tracepoints', 0x20fc0, 0x21000],
      ]),
      300,
    ),
    300,
  )
  t.is(rows.length, 3)
  t.true(rows.every(({ start, address }) => start === address))
  t.is(end, 0x21000)
  t.is(bytes, 4096)
})

test('a module without tables takes a page', (t) => {
  const { rows, bytes } = laidOut(moduleImage(bound([]), 300), 300)
  t.deepEqual([rows.length, bytes], [0, 4096])
})
