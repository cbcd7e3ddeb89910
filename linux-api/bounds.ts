/**
 * What each call of the driver ABI may cost at most and what it may make the host keep, in one table beside the calls'.
 *
 * One wrapper on the host's side does what it says, for every call alike: it checks that the memory named is the program's, counts
 * the work, and asks whether the domain may have what is kept. Time that a device or a message takes is another matter: that is
 * kernel/costs.ts's, and passes in the call. The units here are of the host's work, 5 ns of virtual time each unless told
 * otherwise; they are rounded up, so that what a program makes the host do never takes longer than the time that passes for it.
 */

/** Memory that a call reads or writes: all of it must be the program's, whatever is then taken of it. */
export interface Piece {
  /** Parameter with the address. */
  readonly at: string
  /** Name of the structure there; bytes when not given. */
  readonly of?: string
  /** Parameter that says how many there are; one when not given. */
  readonly count?: string
  /** Parameter that says how many bytes one of them has: 1, 2 or 4. */
  readonly width?: string
}

/** `most` of a parameter: what is more is cut off, or answered with a number. */
export interface Most {
  readonly param: string
  readonly most: number
  /** The answer; without one the parameter is cut. */
  readonly answer?: number
}

/** So many, by a parameter: its value divided by 2 to the `shift`, times `times`, and `more`. */
export interface Amount {
  readonly by?: string
  readonly shift?: number
  readonly times?: number
  readonly more?: number
}

/** What a domain has a quota of: kernel/quota.ts. */
export type Kept = 'memory' | 'capabilities' | 'dma' | 'windows' | 'units' | 'services'

export interface Bounds {
  /** Units of work, at most. */
  readonly units: Amount
  /** It looks through the capabilities that the domain holds: four units more for each. */
  readonly looks?: true
  readonly pieces?: readonly Piece[]
  readonly most?: readonly Most[]
  readonly keeps?: Readonly<Partial<Record<Kept, Amount>>>
  /** What it returns when the domain may not keep that. */
  readonly refused?: number
  /** It takes time or the domain away from whoever calls: no authority is needed for that. */
  readonly anyone?: true
}

const RANGE = -13
const QUOTA = -12
const NOSPC = -28
/** Longest log record and contract, and longest name of a service, bytes. */
export const TEXT_BYTES = 4096
export const NAME_BYTES = 128
/** Bytes of chance at once. */
const SEED_BYTES = 64

const units = (more: number, rest: Omit<Bounds, 'units'> = {}): Bounds => ({ units: { more }, ...rest })
/** It passes time by itself for all that it does. */
const timed = (rest: Omit<Bounds, 'units'> = {}): Bounds => units(0, rest)
const piece = (at: string, count?: string): Piece => ({ at, ...(count !== undefined && { count }) })
const struct = (at: string, of: string, count?: string): Piece => ({ at, of, ...(count !== undefined && { count }) })
const one: Amount = { more: 1 }

export const bounds: Readonly<Record<string, Readonly<Record<string, Bounds>>>> = {
  log: {
    write: {
      units: { by: 'len', more: 16 },
      pieces: [piece('text', 'len')],
      most: [{ param: 'len', most: TEXT_BYTES }],
    },
    seed: units(64, { pieces: [piece('out', 'len')], most: [{ param: 'len', most: SEED_BYTES }] }),
    fault: units(TEXT_BYTES, { pieces: [piece('text', 'len')], most: [{ param: 'len', most: TEXT_BYTES }] }),
  },
  mmio: {
    map: units(32, { looks: true, keeps: { capabilities: one }, refused: 0 }),
    unmap: units(32),
    read8: timed(),
    read16: timed(),
    read32: timed(),
    write8: timed(),
    write16: timed(),
    write32: timed(),
    read_rep: units(4, { pieces: [{ at: 'dst', count: 'count', width: 'width' }] }),
    write_rep: units(4, { pieces: [{ at: 'src', count: 'count', width: 'width' }] }),
  },
  pio: {
    in8: timed(),
    in16: timed(),
    in32: timed(),
    out8: timed(),
    out16: timed(),
    out32: timed(),
    in_rep: units(4, { pieces: [{ at: 'dst', count: 'count', width: 'width' }] }),
    out_rep: units(4, { pieces: [{ at: 'src', count: 'count', width: 'width' }] }),
  },
  pci: {
    location: units(4),
    config_read: timed(),
    config_write: units(32),
    vectors: { units: { by: 'count', more: 64 }, keeps: { capabilities: { by: 'count', more: 1 } }, refused: NOSPC },
    vectors_free: units(128, { looks: true }),
  },
  dma: {
    map: { units: { by: 'len', shift: 16 }, keeps: { windows: one, dma: { by: 'len' } }, refused: -1 },
    unmap: { units: { by: 'len', shift: 16 } },
    set_mask: units(32),
  },
  irq: {
    attach: units(64, { looks: true }),
    detach: units(64),
    mask: units(8),
    unmask: units(8),
    take: units(16),
    done: units(16),
  },
  time: {
    now: timed(),
    wall: units(4),
    set_timer: units(16),
    pass: units(2),
  },
  sched: {
    self: units(2),
    relax: timed(),
    create: units(400),
    switch: timed(),
    release: units(64),
    idle: timed(),
    ready: units(8),
    preempt: timed({ anyone: true }),
    resched: timed({ anyone: true }),
    stack_overflow: timed({ anyone: true }),
  },
  call: {
    take: units(64, { pieces: [struct('out', 'request')] }),
    data: units(64),
    done: units(64),
    wanted: units(64, { pieces: [piece('name', 'len')], most: [{ param: 'len', most: NAME_BYTES, answer: -19 }] }),
    module: units(4000, {
      pieces: [piece('name', 'len'), piece('dst', 'bytes')],
      most: [{ param: 'len', most: NAME_BYTES, answer: -22 }],
    }),
  },
  net: {
    register: units(400, {
      looks: true,
      pieces: [struct('desc', 'net_desc')],
      keeps: { capabilities: one, units: one },
      refused: NOSPC,
    }),
    unregister: units(64, { looks: true }),
    carrier: units(32),
    queue: units(16),
    fetch: units(64),
    rx: { units: { by: 'count' }, pieces: [struct('vec', 'net_frame', 'count')] },
    changed: units(64, { pieces: [struct('desc', 'net_desc')] }),
  },
  ipc: {
    find: units(32, { pieces: [piece('name', 'len')], most: [{ param: 'len', most: NAME_BYTES, answer: -3 }] }),
    offer: {
      units: { by: 'rules_len', times: 8, more: 600 },
      pieces: [piece('name', 'len'), piece('rules', 'rules_len')],
      most: [
        { param: 'len', most: NAME_BYTES, answer: RANGE },
        { param: 'rules_len', most: TEXT_BYTES, answer: RANGE },
      ],
      keeps: { capabilities: one, services: one },
      refused: QUOTA,
    },
    notification: units(100, { keeps: { capabilities: one }, refused: QUOTA }),
    close: units(64),
    call: timed(),
    send: timed(),
    receive: timed(),
    reply: timed(),
    reply_receive: timed(),
    watch: units(8),
    window: units(8),
    serve: units(16),
    invoke: units(4),
    signal: timed(),
    wait: timed(),
    poll: timed(),
    next: units(8),
  },
  cap: {
    mint: units(16, { keeps: { capabilities: one }, refused: QUOTA }),
    move: units(16),
    remove: units(16),
    revoke: timed(),
    rights: timed(),
    free: timed(),
  },
  mem: {
    create: {
      // An object of the engine's own, to be made and to be cleared away.
      units: { by: 'len', shift: 6, more: 4000 },
      looks: true,
      keeps: { capabilities: one, memory: { by: 'len' } },
      refused: QUOTA,
    },
    lend: units(100, { pieces: [piece('addr', 'len')], keeps: { capabilities: one }, refused: QUOTA }),
    size: units(8),
    read: units(4, { pieces: [piece('dst', 'len')] }),
    write: units(4, { pieces: [piece('src', 'len')] }),
    map: { units: { by: 'len', shift: 12, more: 64 }, keeps: { capabilities: one }, refused: 0 },
    unmap: units(32),
  },
  ring: {
    create: units(2400, { keeps: { capabilities: one }, refused: QUOTA }),
    take: units(8),
    put: units(8),
    tell: units(8),
    wait: units(8),
  },
}

/** Parameters of a WASI call are known by their place. */
export interface WasiBounds {
  readonly units: number
  /** Place of an address, bytes there, or the place of how many there are. */
  readonly pieces?: readonly (readonly [at: number, bytes: number, count?: number])[]
  /** Place of a number, the most it may be, what more is answered with. */
  readonly most?: readonly (readonly [param: number, most: number, answer: number])[]
  readonly keeps?: 'files'
  readonly refused?: number
}

const [EINVAL, EMFILE, ENAMETOOLONG] = [28, 33, 37]
/** Longest path, bytes; vectors of one call. */
const PATH_BYTES = 1024
const VECTORS = 64
const path = (at: number): Pick<WasiBounds, 'pieces' | 'most'> => ({
  pieces: [[at, 1, at + 1]],
  most: [[at + 1, PATH_BYTES, ENAMETOOLONG]],
})

/**
 * Files a driver may read: of WASI preview 1, the calls that a core makes (shim/lower/files.c). A call goes through a library, so it
 * costs microseconds. Bytes that are read cost more, as the call finds them.
 */
export const wasi: Readonly<Record<string, WasiBounds>> = {
  fd_close: { units: 2000 },
  fd_pread: { units: 9000, pieces: [[1, 8, 2]], most: [[2, VECTORS, EINVAL]] },
  fd_prestat_get: { units: 1000, pieces: [[1, 8]] },
  path_filestat_get: { units: 4000, ...path(2) },
  path_open: { units: 4000, ...path(2), keeps: 'files', refused: EMFILE },
}
