/**
 * The event log: what happened in a machine, in order.
 *
 * Every record goes into a running hash (two runs are the same exactly when their hashes are) and into a ring of the
 * last records, which becomes text only when somebody asks. Recording numbers allocates nothing. Whoever wants to know
 * as it happens (a file, a recording, a debugger) watches for a count; nobody watching costs one comparison a record.
 * Knows nothing of what the kinds mean beyond their names.
 */

const FIELDS = 5

export interface EventRecord {
  readonly atNs: number
  readonly kind: string
  /** Domain id, 0 for the machine itself. */
  readonly domain: number
  readonly a: number
  readonly b: number
  readonly text?: string
}

/** Called when as many records exist as it asked for, right after the last of them; returns when to be called next. */
export type Watcher = (log: EventLog) => number

interface Watch {
  at: number
  readonly reached: Watcher
}

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

/** A record as a line: seconds, domain, kind, values. */
export const describeRecord = (r: EventRecord): string =>
  `${(r.atNs / 1e9).toFixed(9)} d${r.domain} ${r.kind} ${r.text ?? `${r.a} ${r.b}`}`

export class EventLog {
  readonly #now: () => number
  readonly #kinds: string[] = []
  readonly #ring: Float64Array
  readonly #texts: (string | undefined)[]
  readonly #watches: Watch[] = []
  /** Records the ring holds. */
  readonly capacity: number
  /** Gets every record as a line, a ring's worth at a time; `drain` gives it the rest. */
  #sink: ((lines: readonly string[]) => void) | undefined
  #count = 0
  #drained = 0
  /** The count the next watcher waits for. */
  #next = Infinity
  #low = 0x811c9dc5 | 0
  #high = 0x01000193 | 0

  /** @param capacity records kept for reading; the hash covers all of them */
  constructor(now: () => number, capacity = 8192) {
    this.#now = now
    this.capacity = capacity
    this.#ring = new Float64Array(capacity * FIELDS)
    this.#texts = Array.from({ length: capacity })
  }

  /** Register a kind of record; returns the number `note` takes. */
  kind(name: string): number {
    const known = this.#kinds.indexOf(name)
    return known >= 0 ? known : this.#kinds.push(name) - 1
  }

  /** The kinds registered so far. */
  get kinds(): readonly string[] {
    return this.#kinds
  }

  /** Record numbers. */
  note(kind: number, domain: number, a = 0, b = 0): void {
    this.#put(kind, domain, a, b)
    if (this.#count >= this.#next) this.#tell()
  }

  /** Record a line of text. */
  text(kind: number, domain: number, text: string): void {
    this.#put(kind, domain, text.length, 0)
    this.#texts[(this.#count - 1) % this.capacity] = text
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i))
    if (this.#count >= this.#next) this.#tell()
  }

  #put(kind: number, domain: number, a: number, b: number): void {
    const now = this.#now()
    const at = (this.#count % this.capacity) * FIELDS
    const ring = this.#ring
    ring[at] = now
    ring[at + 1] = kind
    ring[at + 2] = domain
    ring[at + 3] = a
    ring[at + 4] = b
    this.#texts[this.#count % this.capacity] = undefined
    this.#count++
    this.#mix(now | 0)
    this.#mix((now / 0x1_0000_0000) | 0)
    this.#mix((kind << 16) ^ domain)
    this.#mix(a | 0)
    this.#mix(b | 0)
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193)
    this.#high = (Math.imul(this.#high ^ (word >>> 7) ^ this.#low, 0x85ebca6b) + word) | 0
  }

  /** Call `reached` once `count` records exist. What it does must not write records. */
  watch(count: number, reached: Watcher): void {
    this.#watches.push({ at: count, reached })
    this.#plan()
  }

  #tell(): void {
    for (const watch of this.#watches) if (this.#count >= watch.at) watch.at = watch.reached(this)
    this.#plan()
  }

  #plan(): void {
    this.#next = Math.min(...this.#watches.map(({ at }) => at))
  }

  /** Records so far. */
  get count(): number {
    return this.#count
  }

  /** 64-bit running hash, 16 hex digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  set sink(sink: ((lines: readonly string[]) => void) | undefined) {
    if (this.#sink === undefined && sink !== undefined) this.watch(this.#drained + this.capacity, () => this.drain())
    this.#sink = sink
  }

  /** Give the sink what it has not had. Returns the count at which the ring is full of news again. */
  drain(): number {
    const fresh = Math.min(this.capacity, this.#count - this.#drained)
    if (fresh > 0) this.#sink?.(this.lines(fresh))
    this.#drained = this.#count
    return this.#drained + this.capacity
  }

  /** The records still in the ring, oldest first. */
  records(last = this.capacity): EventRecord[] {
    const first = Math.max(0, this.#count - Math.min(last, this.capacity))
    return Array.from({ length: this.#count - first }, (_, i) => this.#record((first + i) % this.capacity))
  }

  #record(slot: number): EventRecord {
    const ring = this.#ring
    const at = slot * FIELDS
    const kind = this.#kinds[ring[at + 1]!] ?? '?'
    const text = this.#texts[slot]
    const record = { atNs: ring[at]!, kind, domain: ring[at + 2]!, a: ring[at + 3]!, b: ring[at + 4]! }
    return text === undefined ? record : { ...record, text }
  }

  /** The same as lines. */
  lines(last?: number): string[] {
    return this.records(last).map(describeRecord)
  }
}
