/**
 * Linear memories of domains that have ended, for those that begin. A fresh one costs the engine more than a domain costs all
 * the rest (address space, pages that fault in one by one, a full collection for each 64 MiB), and a restart would wait for it.
 *
 * What is handed out is zero, every byte of it: each page is looked at, and nothing is taken from what its last domain said.
 */

const PAGE = 65536
/** Memories of one size that are kept: as many drivers as fail at once without one waiting for a fresh one. */
const SPARES_MAX = 2

interface Spare {
  readonly memory: WebAssembly.Memory
  readonly clean: (bytes: number) => void
  /** Nothing that could write to it is on the engine's stack any more. */
  readonly quiet: () => boolean
}

const spares = new Map<number, Spare[]>()
const cleaners = new WeakMap<WebAssembly.Memory, Spare['clean']>()

/** A memory of `pages` of 64 KiB, all zero. */
export function takeMemory(pages: number): WebAssembly.Memory {
  const list = spares.get(pages) ?? []
  const at = list.findIndex(({ quiet }) => quiet())
  if (at < 0) return new WebAssembly.Memory({ initial: pages, maximum: pages })
  const [{ memory, clean }] = list.splice(at, 1) as [Spare]
  clean(memory.buffer.byteLength)
  return memory
}

/** A domain has ended, and everybody's hold on its memory with it. */
export function giveMemory(memory: WebAssembly.Memory, quiet: () => boolean): void {
  const pages = memory.buffer.byteLength / PAGE
  const list = spares.get(pages) ?? []
  if (list.length >= SPARES_MAX) return
  const clean = cleaners.get(memory) ?? cleanerOf(memory)
  cleaners.set(memory, clean)
  spares.set(pages, [...list, { memory, clean, quiet }])
}

let cleaner: WebAssembly.Module | undefined

function cleanerOf(memory: WebAssembly.Memory): Spare['clean'] {
  cleaner ??= new WebAssembly.Module(Uint8Array.from(CLEANER))
  return new WebAssembly.Instance(cleaner, { e: { m: memory } }).exports['c'] as Spare['clean']
}

/**
 * Fills with zero each 4 KiB that is not: `clean(bytes)`. Pages nobody wrote are only read, and cost no memory. Its source:
 *
 *   (module (import "e" "m" (memory 1))
 *     (func (export "c") (param $end i32) (local $page i32) (local $at i32) (local $any v128)
 *       (loop $pages
 *         (local.set $at (local.get $page))
 *         (local.set $any (v128.const i64x2 0 0))
 *         (loop $words ;; 64 bytes a turn
 *           (local.set $any (v128.or (local.get $any) (v128.or
 *             (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))
 *             (v128.or (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at))))))
 *           (local.set $at (i32.add (local.get $at) (i32.const 64)))
 *           (br_if $words (i32.and (local.get $at) (i32.const 4095))))
 *         (if (v128.any_true (local.get $any)) (then (memory.fill (local.get $page) (i32.const 0) (i32.const 4096))))
 *         (local.set $page (i32.add (local.get $page) (i32.const 4096)))
 *         (br_if $pages (i32.lt_u (local.get $page) (local.get $end))))))
 */
const CLEANER = [
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x01, 0x7f, 0x00, 0x02, 0x08, 0x01, 0x01,
  0x65, 0x01, 0x6d, 0x02, 0x00, 0x01, 0x03, 0x02, 0x01, 0x00, 0x07, 0x05, 0x01, 0x01, 0x63, 0x00, 0x00, 0x0a, 0x7a,
  0x01, 0x78, 0x02, 0x02, 0x7f, 0x01, 0x7b, 0x03, 0x40, 0x20, 0x01, 0x21, 0x02, 0xfd, 0x0c, 0x00, 0x00, 0x00, 0x00,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x21, 0x03, 0x03, 0x40, 0x20, 0x03, 0x20,
  0x02, 0xfd, 0x00, 0x04, 0x00, 0x20, 0x02, 0xfd, 0x00, 0x04, 0x10, 0xfd, 0x50, 0x20, 0x02, 0xfd, 0x00, 0x04, 0x20,
  0x20, 0x02, 0xfd, 0x00, 0x04, 0x30, 0xfd, 0x50, 0xfd, 0x50, 0xfd, 0x50, 0x21, 0x03, 0x20, 0x02, 0x41, 0xc0, 0x00,
  0x6a, 0x21, 0x02, 0x20, 0x02, 0x41, 0xff, 0x1f, 0x71, 0x0d, 0x00, 0x0b, 0x20, 0x03, 0xfd, 0x53, 0x04, 0x40, 0x20,
  0x01, 0x41, 0x00, 0x41, 0x80, 0x20, 0xfc, 0x0b, 0x00, 0x0b, 0x20, 0x01, 0x41, 0x80, 0x20, 0x6a, 0x21, 0x01, 0x20,
  0x01, 0x20, 0x00, 0x49, 0x0d, 0x00, 0x0b, 0x0b,
]
