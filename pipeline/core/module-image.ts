/**
 * What the kernel's own module loader is told of a bound module: struct module_image of the ABI, and what follows it.
 */
import { module_image as head, module_section as row } from '../../linux-api/generated/abi.ts'
import type { Bounds, BoundModule } from '../bind/index.ts'

/** Powers of two only; a table begins where the one before it ends, aligned. */
const alignmentOf = (address: number, after: number): number => {
  for (let align = 1; ; align *= 2) if (Math.ceil(after / align) * align === address) return align
}

/** Of Linux: the loader takes memory by pages, and the tables end where one does (pipeline/bind/layout.ts). */
const PAGE = 4096

/** What lies after struct module, in order, without a hole: whoever is told of it puts one thing behind the other. */
function rowsOf(bound: BoundModule, moduleBytes: number): (readonly [string, Bounds])[] {
  const tables = [...bound.sections].filter(([, { start, end }]) => end > start)
  const from = bound.self + moduleBytes
  const first = tables[0]?.[1].start ?? from
  return first > from ? [['.hole', { start: from, end: first }], ...tables] : tables
}

/** `parameters`: as insmod takes them, `name=value` separated by spaces. */
export function moduleImage(bound: BoundModule, moduleBytes: number, parameters = ''): Uint8Array {
  const encoder = new TextEncoder()
  const information = encoder.encode(bound.modinfo.map((text) => `${text}\0`).join(''))
  const args = encoder.encode(`${parameters}\0`)
  const rows = rowsOf(bound, moduleBytes)
  const bytes = new Uint8Array(head.size + rows.length * row.size + information.length + args.length)
  const view = new DataView(bytes.buffer)
  let end = bound.self + moduleBytes
  rows.forEach(([name, bounds], i) => {
    const at = head.size + i * row.size
    encoder.encodeInto(name, bytes.subarray(at + row.name.offset, at + row.name.offset + row.name.count - 1))
    view.setUint32(at + row.address.offset, bounds.start, true)
    view.setUint32(at + row.bytes.offset, bounds.end - bounds.start, true)
    view.setUint32(at + row.align.offset, alignmentOf(bounds.start, end), true)
    end = bounds.end
  })
  view.setUint32(head.place.offset, bound.self, true)
  view.setUint32(head.place_bytes.offset, Math.ceil((end - bound.self) / PAGE) * PAGE, true)
  view.setUint32(head.init.offset, bound.init ?? 0, true)
  view.setUint32(head.exit.offset, bound.exit ?? 0, true)
  view.setUint32(head.sections.offset, rows.length, true)
  view.setUint32(head.information.offset, information.length, true)
  const name = bound.name.replaceAll('-', '_')
  encoder.encodeInto(name, bytes.subarray(head.name.offset, head.name.offset + head.name.count - 1))
  bytes.set(information, head.size + rows.length * row.size)
  bytes.set(args, head.size + rows.length * row.size + information.length)
  return bytes
}
