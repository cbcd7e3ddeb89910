/**
 * Linear memories of domains that have ended, for those that begin. A fresh one costs the engine more than a domain costs all
 * the rest (address space, pages that fault in one by one, a full collection for each 64 MiB), and a restart would wait for it.
 *
 * A domain begins with what is laid into its memory, and zero elsewhere: of one that was used, each page is compared with what it
 * is to hold and written where it differs. Nothing is taken from what its last domain said. All of a memory is looked at for that, and
 * mostly the next domain is to begin as the last one did: so it is done as soon as the host has a moment, and a restart finds it done.
 */
import { breath } from '../../kernel/breath.ts'

const PAGE = 65536
/** What is compared and written at once. */
const PIECE = 4096
/** Memories of one size that are kept: as many drivers as fail at once without one waiting for a fresh one. */
const SPARES_MAX = 2

/** Bytes at an address. */
export interface Run {
  readonly at: number
  readonly bytes: Uint8Array
}

/** What a memory is to hold: runs of whole pieces, in the order of their addresses. */
export class Content {
  /** Of the memory. */
  readonly size: number
  runs: readonly Run[]
  #laid: WebAssembly.Memory | undefined

  constructor(size: number, runs: readonly Run[]) {
    this.size = size
    this.runs = runs
  }

  /** As the layer reads it: for each piece the address of its content in here, 0 for none; then the content. */
  get laid(): WebAssembly.Memory {
    return (this.#laid ??= this.#lay())
  }

  #lay(): WebAssembly.Memory {
    const first = PIECE * Math.ceil((this.size / PIECE) * (4 / PIECE))
    const total = this.runs.reduce((sum, { bytes }) => sum + bytes.length, first)
    const pages = Math.ceil(total / PAGE)
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
    const [table, content] = [new Uint32Array(memory.buffer, 0, this.size / PIECE), new Uint8Array(memory.buffer)]
    let to = first
    this.runs = this.runs.map(({ at, bytes }) => {
      const copy = content.subarray(to, to + bytes.length)
      copy.set(bytes)
      for (let piece = 0; piece < bytes.length; piece += PIECE) table[(at + piece) / PIECE] = to + piece
      to += bytes.length
      return { at, bytes: copy }
    })
    return memory
  }
}

/** A memory for a domain, which holds what some other left in it until something is laid. */
export class LentMemory {
  readonly memory: WebAssembly.Memory
  #fresh = true
  /** What was laid last, which the next is to begin with too, and whether it was laid again since. */
  #last: Content | undefined
  #ready = false
  /** Nobody has it. */
  #idle = false
  /** Laying a content. */
  #lay: ((bytes: number) => void) | undefined
  #content: Content | undefined
  /** Nothing that could write to it is on the engine's stack any more. */
  #quiet: () => boolean = () => false

  constructor(pages: number) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  }

  /** From here on it holds this and nothing else. */
  lay(content: Content): void {
    const { buffer } = this.memory
    if (content.size !== buffer.byteLength) throw new RangeError(`${content.size} bytes for ${buffer.byteLength}`)
    if (this.#fresh) this.#write(content.runs)
    else if (!this.#ready || this.#last !== content) this.#laying(content)(content.size)
    this.#fresh = false
    this.#ready = false
    this.#last = content
  }

  /** A domain is to have it. */
  taken(): void {
    this.#idle = false
  }

  /** Its domain has ended. */
  returned(quiet: () => boolean): void {
    this.#fresh = false
    if (!this.#idle) this.#ready = false
    this.#idle = true
    this.#quiet = quiet
    void breath().then(() => this.#layAhead())
  }

  #layAhead(): void {
    if (!this.#idle || this.#ready || this.#last === undefined || !this.quiet) return
    this.#laying(this.#last)(this.#last.size)
    this.#ready = true
  }

  get quiet(): boolean {
    return this.#quiet()
  }

  /** It holds what was laid last. */
  get ready(): boolean {
    return this.#ready
  }

  #write(runs: readonly Run[]): void {
    const bytes = new Uint8Array(this.memory.buffer)
    for (const run of runs) bytes.set(run.bytes, run.at)
  }

  #laying(content: Content): (bytes: number) => void {
    if (this.#lay !== undefined && this.#content === content) return this.#lay
    this.#content = content
    layer ??= new WebAssembly.Module(LAYER)
    const { lay } = new WebAssembly.Instance(layer, { e: { m: this.memory, i: content.laid } }).exports
    return (this.#lay = lay as (bytes: number) => void)
  }
}

const spares = new Map<number, LentMemory[]>()

/** A memory of `pages` of 64 KiB. */
export function takeMemory(pages: number): LentMemory {
  const list = spares.get(pages) ?? []
  const at = list.findIndex(({ quiet }) => quiet)
  if (at < 0) return new LentMemory(pages)
  const [found] = list.splice(at, 1)
  found!.taken()
  return found!
}

/** A domain has ended, and everybody's hold on its memory with it. */
export function giveMemory(lent: LentMemory, quiet: () => boolean): void {
  const pages = lent.memory.buffer.byteLength / PAGE
  const list = spares.get(pages) ?? []
  if (list.length >= SPARES_MAX) return
  lent.returned(quiet)
  spares.set(pages, [...list, lent])
}

let layer: WebAssembly.Module | undefined

/**
 * Pages nobody wrote are only read, and cost no memory. Its source:
 *
 *   (module (import "e" "m" (memory $m 1)) (import "e" "i" (memory $i 1))
 *     (func (export "lay") (param $end i32) (local $page i32) (local $at i32) (local $from i32) (local $any v128)
 *       (loop $pages
 *         (local.set $at (local.get $page))
 *         (local.set $any (v128.const i64x2 0 0))
 *         (if (local.tee $from (i32.load $i (i32.shr_u (local.get $page) (i32.const 10))))
 *           (then
 *             (loop $same ;; 64 bytes a turn
 *               (local.set $any (v128.or (local.get $any) (v128.or
 *                 (v128.or
 *                   (v128.xor (v128.load $m (local.get $at)) (v128.load $i (local.get $from)))
 *                   (v128.xor (v128.load $m offset=16 (local.get $at)) (v128.load $i offset=16 (local.get $from))))
 *                 (v128.or
 *                   (v128.xor (v128.load $m offset=32 (local.get $at)) (v128.load $i offset=32 (local.get $from)))
 *                   (v128.xor (v128.load $m offset=48 (local.get $at)) (v128.load $i offset=48 (local.get $from)))))))
 *               (local.set $from (i32.add (local.get $from) (i32.const 64)))
 *               (local.set $at (i32.add (local.get $at) (i32.const 64)))
 *               (br_if $same (i32.and (local.get $at) (i32.const 4095))))
 *             (if (v128.any_true (local.get $any)) (then
 *               (memory.copy $m $i (local.get $page) (i32.sub (local.get $from) (i32.const 4096)) (i32.const 4096)))))
 *           (else
 *             (loop $zero
 *               (local.set $any (v128.or (local.get $any) (v128.or
 *                 (v128.or (v128.load $m (local.get $at)) (v128.load $m offset=16 (local.get $at)))
 *                 (v128.or (v128.load $m offset=32 (local.get $at)) (v128.load $m offset=48 (local.get $at))))))
 *               (local.set $at (i32.add (local.get $at) (i32.const 64)))
 *               (br_if $zero (i32.and (local.get $at) (i32.const 4095))))
 *             (if (v128.any_true (local.get $any)) (then
 *               (memory.fill $m (local.get $page) (i32.const 0) (i32.const 4096))))))
 *         (local.set $page (i32.add (local.get $page) (i32.const 4096)))
 *         (br_if $pages (i32.lt_u (local.get $page) (local.get $end))))))
 */
const LAYER = Uint8Array.from(
  `
  00 61 73 6d 01 00 00 00 01 05 01 60 01 7f 00 02 0f 02 01 65 01 6d 02 00 01 01 65 01 69 02 00 01 03 02 01 00 07 07
  01 03 6c 61 79 00 00 0a 83 02 01 80 02 02 03 7f 01 7b 03 40 20 01 21 02 fd 0c 00 00 00 00 00 00 00 00 00 00 00 00
  00 00 00 00 21 04 20 01 41 0a 76 28 42 01 00 22 03 04 40 03 40 20 04 20 02 fd 00 04 00 20 03 fd 00 44 01 00 fd 51
  20 02 fd 00 04 10 20 03 fd 00 44 01 10 fd 51 fd 50 20 02 fd 00 04 20 20 03 fd 00 44 01 20 fd 51 20 02 fd 00 04 30
  20 03 fd 00 44 01 30 fd 51 fd 50 fd 50 fd 50 21 04 20 03 41 c0 00 6a 21 03 20 02 41 c0 00 6a 21 02 20 02 41 ff 1f
  71 0d 00 0b 20 04 fd 53 04 40 20 01 20 03 41 80 20 6b 41 80 20 fc 0a 00 01 0b 05 03 40 20 04 20 02 fd 00 04 00 20
  02 fd 00 04 10 fd 50 20 02 fd 00 04 20 20 02 fd 00 04 30 fd 50 fd 50 fd 50 21 04 20 02 41 c0 00 6a 21 02 20 02 41
  ff 1f 71 0d 00 0b 20 04 fd 53 04 40 20 01 41 00 41 80 20 fc 0b 00 0b 0b 20 01 41 80 20 6a 21 01 20 01 20 00 49 0d
  00 0b 0b`
    .trim()
    .split(/\s+/),
  (byte) => Number.parseInt(byte, 16),
)
