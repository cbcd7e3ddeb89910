/**
 * Mutations of a real package's module, by name and seed: what a broken disk, a careless tool or a patient enemy makes
 * of a driver. Structure is used where a blind byte would only ever hit the same check.
 */
import type { SeededRandom } from '../../base/random.ts'
import { Writer } from '../../pipeline/wasm/bytes.ts'
import { readModule, SECTION, type Section, type WasmModule } from '../../pipeline/wasm/module.ts'

export interface Subject {
  readonly bytes: Uint8Array
  readonly module: WasmModule
}

export const subjectOf = (bytes: Uint8Array): Subject => ({ bytes, module: readModule(bytes) })

type Mutation = (subject: Subject, random: SeededRandom) => Uint8Array

const pick = <T>(random: SeededRandom, list: readonly T[]): T => list[random.below(list.length)] as T

const section = ({ module }: Subject, id: number): Section | undefined => module.sections.find((s) => s.id === id)

const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => (part instanceof Uint8Array ? part : Uint8Array.from(part))))

const leb = (value: number): Uint8Array => new Writer().u32(value).finish()

/** Numbers as LEB128 should not be written. */
const BOMBS: readonly (readonly number[])[] = [
  [0xff, 0xff, 0xff, 0xff, 0x0f],
  [0xff, 0xff, 0xff, 0xff, 0x7f],
  [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
  [0xff, 0xff, 0xff, 0xff, 0x07],
  [0x80, 0x80, 0x80, 0x80, 0x08],
]

/** Put another payload in the place of a section's, or take the section away. */
function replaced(subject: Subject, target: Section, payload: Uint8Array | undefined): Uint8Array {
  const { bytes } = subject
  const before = bytes.subarray(0, target.headerStart)
  const after = bytes.subarray(target.end)
  if (payload === undefined) return join(before, after)
  return join(before, [target.id], leb(payload.length), payload, after)
}

/** Add a section before the first one that must come after it. */
function added({ bytes, module }: Subject, id: number, payload: Uint8Array): Uint8Array {
  const after = module.sections.find((s) => s.id > id && s.id !== SECTION.dataCount)
  const at = after?.headerStart ?? bytes.length
  return join(bytes.subarray(0, at), [id], leb(payload.length), payload, bytes.subarray(at))
}

const payloadOf = ({ bytes }: Subject, target: Section): Uint8Array => bytes.slice(target.start, target.end)

function flip(subject: Subject, random: SeededRandom, from: number, to: number, count: number): Uint8Array {
  const out = subject.bytes.slice()
  for (let i = 0; i < count; i++) {
    const at = from + random.below(Math.max(1, to - from))
    out[at] = random.below(2) === 0 ? out[at]! ^ (1 << random.below(8)) : random.next()
  }
  return out
}

/** Flips within one section: a few bytes, so that much of the module stays what it was. */
const flipsIn =
  (id: number): Mutation =>
  (subject, random) => {
    const target = section(subject, id)
    if (target === undefined) return flip(subject, random, 8, subject.bytes.length, 1)
    return flip(subject, random, target.start, target.end, 1 + random.below(3))
  }

/** A memory section with these limits. */
const memory = (flags: number, ...limits: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  join([1, flags], ...limits)

const replaceOrAdd = (subject: Subject, id: number, payload: Uint8Array): Uint8Array => {
  const target = section(subject, id)
  return target === undefined ? added(subject, id, payload) : replaced(subject, target, payload)
}

/** One function's body in the place of another's. */
function spliced(subject: Subject, body: Uint8Array, index: number): Uint8Array {
  const { bytes, module } = subject
  const victim = module.bodies[index]!
  const code = section(subject, SECTION.code)!
  const inside = join(
    bytes.subarray(code.start, victim.sizeStart),
    leb(body.length),
    body,
    bytes.subarray(victim.end, code.end),
  )
  return replaced(subject, code, inside)
}

const bodyOf = (code: readonly number[], locals: readonly number[] = [0]): Uint8Array => join(locals, code, [0x0b])

export const mutations: Readonly<Record<string, Mutation>> = {
  'bits of the types': flipsIn(SECTION.type),
  'bits of the imports': flipsIn(SECTION.import),
  'bits of the function list': flipsIn(SECTION.function),
  'bits of the table': flipsIn(SECTION.table),
  'bits of the memory': flipsIn(SECTION.memory),
  'bits of the globals': flipsIn(SECTION.global),
  'bits of the exports': flipsIn(SECTION.export),
  'bits of the elements': flipsIn(SECTION.element),
  'bits of the code': flipsIn(SECTION.code),
  'bits of the data': flipsIn(SECTION.data),
  'bits anywhere': (s, random) => flip(s, random, 0, s.bytes.length, 1 + random.below(8)),
  'many bits of the data': (s, random) => {
    const target = section(s, SECTION.data)!
    return flip(s, random, target.start + 16, target.end, 64)
  },
  truncated: ({ bytes }, random) => bytes.slice(0, random.below(bytes.length)),
  'a hole': ({ bytes }, random) => {
    const at = random.below(bytes.length)
    return join(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(64)))
  },
  'something put in': ({ bytes }, random) => {
    const at = random.below(bytes.length)
    const more = Uint8Array.from({ length: 1 + random.below(16) }, () => random.next())
    return join(bytes.subarray(0, at), more, bytes.subarray(at))
  },
  'a number that is none': ({ bytes }, random) => {
    const at = 8 + random.below(bytes.length - 8)
    return join(bytes.subarray(0, at), pick(random, BOMBS), bytes.subarray(at + 1))
  },
  'a section too long': (s, random) => {
    const target = pick(random, s.module.sections)
    const { bytes } = s
    return join(bytes.subarray(0, target.headerStart + 1), pick(random, BOMBS), bytes.subarray(target.start))
  },
  'a section left out': (s, random) => replaced(s, pick(random, s.module.sections), undefined),
  'a section twice': (s, random) => {
    const target = pick(random, s.module.sections)
    const whole = s.bytes.subarray(target.headerStart, target.end)
    return join(s.bytes.subarray(0, target.end), whole, s.bytes.subarray(target.end))
  },
  'a section of another module': (s, random) => {
    const [a, b] = [pick(random, s.module.sections), pick(random, s.module.sections)]
    return replaced(s, a, payloadOf(s, b))
  },
  'a custom section of nonsense': (s, random) => {
    const name = new Writer().name('name').finish()
    return join(
      s.bytes,
      [0],
      leb(name.length + 32),
      name,
      Uint8Array.from({ length: 32 }, () => random.next()),
    )
  },
  'a name too long': (s) => join(s.bytes, [0], leb(6), [0xff, 0xff, 0xff, 0xff, 0x0f, 0x41]),
  'another import': (s, random) => {
    const found = pick(random, s.module.imports)
    const out = s.bytes.slice()
    const name = new TextEncoder().encode(found.name)
    // Its name, one letter on: the same length, so that all else stays valid.
    const at = found.offset + 1 + found.module.length + 1 + random.below(name.length)
    const letter = out[at] ?? 0
    out[at] = letter === 0x7a ? 0x61 : letter + 1
    return out
  },
  'an import more': (s, random) => {
    const target = section(s, SECTION.import)!
    const wanted = pick(random, [
      ['net', 'rx'],
      ['env', 'memory'],
      ['dma', 'map'],
      ['wasi_snapshot_preview1', 'clock_time_get'],
      ['pio', 'out8'],
    ] as const)
    const entry = new Writer().name(wanted[0]).name(wanted[1]).u8(0).u32(0).finish()
    const inner = payloadOf(s, target)
    // The count is the first number; an appended import renumbers every function, as a careless tool would.
    const count = s.module.imports.length
    const width = leb(count).length
    return replaced(s, target, join(leb(count + 1), inner.subarray(width), entry))
  },
  'a start function': (s, random) => added(s, SECTION.start, leb(random.below(s.module.functions.length + 4))),
  'a memory that grows': (s) => replaceOrAdd(s, SECTION.memory, memory(1, leb(512), leb(65_536))),
  'a memory without end': (s) => replaceOrAdd(s, SECTION.memory, memory(0, leb(512))),
  'a memory too large': (s) => replaceOrAdd(s, SECTION.memory, memory(1, leb(65_536), leb(65_536))),
  'a memory too small': (s) => replaceOrAdd(s, SECTION.memory, memory(1, leb(1), leb(1))),
  'a shared memory': (s) => replaceOrAdd(s, SECTION.memory, memory(3, leb(512), leb(512))),
  'a 64-bit memory': (s) => replaceOrAdd(s, SECTION.memory, memory(5, leb(512), leb(512))),
  'two memories': (s) => replaceOrAdd(s, SECTION.memory, join([2, 1], leb(512), leb(512), [1], leb(1), leb(1))),
  'a table too large': (s) => replaceOrAdd(s, SECTION.table, join([1, 0x70, 1], leb(10_000_000), leb(10_000_000))),
  'a table without end': (s) => replaceOrAdd(s, SECTION.table, join([1, 0x70, 0], leb(8192))),
  'a table of anything': (s) => replaceOrAdd(s, SECTION.table, join([1, 0x6f, 1], leb(8192), leb(8192))),
  'many tables': (s) =>
    replaceOrAdd(s, SECTION.table, join(leb(1000), ...Array.from({ length: 1000 }, () => [0x70, 1, 1, 1]))),
  'a function of another': (s, random) => {
    const { bodies } = s.module
    const from = pick(random, bodies)
    return spliced(s, s.bytes.slice(from.start, from.end), random.below(bodies.length))
  },
  'a function without its checks': (s, random) =>
    // An endless loop and a wild stack pointer, as a compiler without the pipeline would leave them.
    spliced(
      s,
      bodyOf(
        pick(random, [
          [0x03, 0x40, 0x0c, 0, 0x0b],
          [0x41, 0, 0x24, 0],
          [0x41, 0, 0x24, 1],
        ]),
      ),
      random.below(s.module.bodies.length),
    ),
  'deep nesting': (s, random) => {
    const depth = pick(random, [1000, 20_000, 200_000])
    const opened = Buffer.from('\u0002@'.repeat(depth), 'latin1')
    return spliced(s, join([0], opened, Buffer.alloc(depth, 0x0b), [0x0b]), random.below(s.module.bodies.length))
  },
  'many locals': (s, random) => {
    const count = pick(random, [49_000, 60_000, 0xffffffff])
    return spliced(s, bodyOf([0x00], [1, ...leb(count), 0x7f]), random.below(s.module.bodies.length))
  },
  'a body of nothing but constants': (s, random) =>
    spliced(
      s,
      join([0], Buffer.from('A\0'.repeat(50_000), 'latin1'), Buffer.alloc(50_000, 0x1a), [0x00, 0x0b]),
      random.below(s.module.bodies.length),
    ),
  'a branch table without end': (s, random) =>
    spliced(
      s,
      join([0, 0x41, 0, 0x0e], leb(1_000_000), Buffer.alloc(1_000_001, 0), [0x0b]),
      random.below(s.module.bodies.length),
    ),
  'growing the memory': (s, random) =>
    // Growing by nothing, too: it detaches what the host sees of the memory.
    spliced(s, bodyOf([0x41, random.below(2), 0x40, 0, 0x1a]), random.below(s.module.bodies.length)),
  'filling the memory': (s, random) =>
    spliced(
      s,
      bodyOf([0x41, 0, 0x41, 0, 0x41, ...new Writer().s32(512 << 16).finish(), 0xfc, 11, 0, 0x00]),
      random.below(s.module.bodies.length),
    ),
}

export const mutationNames: readonly string[] = Object.keys(mutations)
