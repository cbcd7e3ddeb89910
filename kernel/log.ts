/**
 * The event log: what happened in a machine, in order.
 *
 * Every record goes into a running hash (two runs are the same exactly when their hashes are) and into a ring of the
 * last records, which becomes text only when somebody asks. Recording numbers allocates nothing. Knows nothing of what
 * the kinds mean beyond their names.
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

const hex = (word: number): string => (word >>> 0).toString(16).padStart(8, '0')

export class EventLog {
  readonly #now: () => number
  readonly #kinds: string[] = []
  readonly #ring: Float64Array
  readonly #texts: (string | undefined)[]
  readonly #capacity: number
  /** Gets every record as a line, a ring's worth at a time; `drain` gives it the rest. */
  sink: ((lines: readonly string[]) => void) | undefined
  #count = 0
  #drained = 0
  #low = 0x811c9dc5 | 0
  #high = 0x01000193 | 0

  /** @param capacity records kept for reading; the hash covers all of them */
  constructor(now: () => number, capacity = 8192) {
    this.#now = now
    this.#capacity = capacity
    this.#ring = new Float64Array(capacity * FIELDS)
    this.#texts = Array.from({ length: capacity })
  }

  /** Register a kind of record; returns the number `note` takes. */
  kind(name: string): number {
    const known = this.#kinds.indexOf(name)
    return known >= 0 ? known : this.#kinds.push(name) - 1
  }

  /** Record numbers. */
  note(kind: number, domain: number, a = 0, b = 0): void {
    if (this.sink !== undefined && this.#count - this.#drained === this.#capacity) this.drain()
    const now = this.#now()
    const at = (this.#count % this.#capacity) * FIELDS
    const ring = this.#ring
    ring[at] = now
    ring[at + 1] = kind
    ring[at + 2] = domain
    ring[at + 3] = a
    ring[at + 4] = b
    this.#texts[this.#count % this.#capacity] = undefined
    this.#count++
    this.#mix(now | 0)
    this.#mix((now / 0x1_0000_0000) | 0)
    this.#mix((kind << 16) ^ domain)
    this.#mix(a | 0)
    this.#mix(b | 0)
  }

  /** Record a line of text. */
  text(kind: number, domain: number, text: string): void {
    this.note(kind, domain, text.length)
    this.#texts[(this.#count - 1) % this.#capacity] = text
    for (let i = 0; i < text.length; i++) this.#mix(text.charCodeAt(i))
  }

  #mix(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x01000193)
    this.#high = (Math.imul(this.#high ^ (word >>> 7) ^ this.#low, 0x85ebca6b) + word) | 0
  }

  /** Records so far. */
  get count(): number {
    return this.#count
  }

  /** 64-bit running hash, 16 hex digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  /** Give the sink what it has not had. */
  drain(): void {
    const fresh = this.#count - this.#drained
    if (fresh > 0) this.sink?.(this.lines(fresh))
    this.#drained = this.#count
  }

  /** The records still in the ring, oldest first. */
  records(last = this.#capacity): EventRecord[] {
    const first = Math.max(0, this.#count - Math.min(last, this.#capacity))
    return Array.from({ length: this.#count - first }, (_, i) => this.#record((first + i) % this.#capacity))
  }

  #record(slot: number): EventRecord {
    const [atNs = 0, kind = 0, domain = 0, a = 0, b = 0] = this.#ring.subarray(slot * FIELDS, slot * FIELDS + FIELDS)
    const text = this.#texts[slot]
    return { atNs, kind: this.#kinds[kind] ?? '?', domain, a, b, ...(text === undefined ? {} : { text }) }
  }

  /** The same as lines: seconds, domain, kind, values. */
  lines(last?: number): string[] {
    return this.records(last).map(
      (r) => `${(r.atNs / 1e9).toFixed(9)} d${r.domain} ${r.kind} ${r.text ?? `${r.a} ${r.b}`}`,
    )
  }
}
