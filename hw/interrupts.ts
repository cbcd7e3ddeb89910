/**
 * The interrupt controller: level-triggered lines (shared INTx) and edge-triggered messages (MSI, MSI-X), each known by
 * one interrupt number, delivered to whoever attached to it.
 *
 * It must not know who is behind an attachment (the kernel decides when a domain may be entered) nor which device is
 * behind a line.
 *
 * Delivery is a handshake, so that the kernel may hold it back as long as it likes without losing or doubling one:
 *
 *   notify(irq)   controller -> client, once: the interrupt is deliverable
 *   begin()       client -> controller, just before the handler runs; false: nothing to deliver any more (spurious)
 *   end()         client -> controller, after the handler: a line that is still asserted, or a message that came in
 *                 meanwhile, is notified again
 *
 * A line is masked while any of its attachments is: that is what masking a shared line does, and what keeps a line held
 * up by a masked client from being delivered to its neighbours for ever.
 *
 * A source whose client is known is connected to that client's attachment instead of the line, as an interrupt remapper does
 * it: it is delivered there and nowhere else, and held back by nobody else's mask. So a client that lets its device assert for
 * ever, or masks a line for ever, harms none that shares the line.
 */

/** Called once when an interrupt becomes deliverable; may only take note of it. */
export type InterruptClient = (irq: number) => void

const LINE = 1
const MESSAGE = 2

/** Where a level goes: to a line, or to the one client it is for. Each source must undo its own. */
export interface LevelSink {
  assert(): void
  deassert(): void
}

/** One client's hold on one interrupt number. As a sink: levels for this client alone. */
export interface Attachment extends LevelSink {
  readonly irq: number
  /** Hold delivery back. Nests. */
  mask(): void
  /** Undo one mask; false when there was none to undo. */
  unmask(): boolean
  /** True while begin() would succeed. */
  readonly pending: boolean
  readonly maskDepth: number
  /** The handler is about to run: true when there is something to handle. */
  begin(): boolean
  /** The handler has returned. */
  end(): void
  /** Give the hold up, with its masks. Safe to repeat, and between begin and end. */
  detach(): void
}

export interface InterruptCounts {
  /** Rising edges of the line, or messages received. */
  readonly raised: number
  /** Successful begin() calls. */
  readonly delivered: number
  /** Notified, but gone by the time of begin(); or a message nobody was attached for. */
  readonly spurious: number
  /** end() found the line still asserted, in a row since it last dropped: a storm when it keeps growing. */
  readonly stuck: number
}

export interface InterruptController {
  /** Interrupt numbers are 0 .. capacity-1; the lines come first. */
  readonly lines: number
  readonly capacity: number
  /** One more source holds the line up. Each source must undo its own. */
  assert(irq: number): void
  deassert(irq: number): void
  asserted(irq: number): boolean
  /** A message for an allocated number arrived. */
  message(irq: number): void
  /** Reserve `count` consecutive message numbers, aligned to `align` (a power of two); -1 when there are none left. */
  allocate(count: number, align?: number): number
  /** Give them back; whoever is attached is detached. */
  free(first: number, count: number): void
  /** Message numbers reserved now, for leak checks. */
  readonly allocated: number
  /** Attach a client. Throws RangeError for a number that is neither a line nor allocated. */
  attach(irq: number, notify: InterruptClient): Attachment
  /** Attachments now, for leak checks. */
  readonly attachments: number
  counts(irq: number): InterruptCounts
}

class Hold implements Attachment {
  readonly irq: number
  /** Sources of its own that are asserted. */
  level = 0
  maskDepth = 0
  notified = false
  inService = false
  attached = true
  readonly notify: InterruptClient
  readonly #owner: Controller

  constructor(owner: Controller, irq: number, notify: InterruptClient) {
    this.#owner = owner
    this.irq = irq
    this.notify = notify
  }

  get pending(): boolean {
    return this.attached && this.#owner.deliverable(this)
  }

  assert(): void {
    if (this.level++ === 0) this.#owner.rose(this)
  }

  deassert(): void {
    if (this.level === 0) throw new RangeError(`nothing asserts interrupt ${this.irq} for this client`)
    if (--this.level === 0) this.#owner.fell(this.irq)
  }

  mask(): void {
    if (!this.attached) return
    this.maskDepth++
    this.#owner.masks[this.irq]!++
  }

  unmask(): boolean {
    if (!this.attached || this.maskDepth === 0) return false
    this.maskDepth--
    this.#owner.masks[this.irq]!--
    this.#owner.offer(this.irq)
    return true
  }

  begin(): boolean {
    if (!this.attached) return false
    this.notified = false
    return this.#owner.begin(this)
  }

  end(): void {
    this.inService = false
    if (this.attached) this.#owner.end(this)
  }

  detach(): void {
    if (!this.attached) return
    this.attached = false
    this.#owner.detach(this)
  }
}

class Controller implements InterruptController {
  readonly lines: number
  readonly capacity: number
  readonly masks: Uint32Array
  allocated = 0
  attachments = 0
  /** LINE, MESSAGE, or 0 for a message number that is free. */
  readonly #kind: Uint8Array
  /** Lines: sources holding it up. Messages: 1 when latched. */
  readonly #level: Uint32Array
  readonly #raised: Float64Array
  readonly #delivered: Float64Array
  readonly #spurious: Float64Array
  readonly #stuck: Float64Array
  readonly #holds: Hold[][]

  constructor(lines: number, capacity: number) {
    this.lines = lines
    this.capacity = capacity
    this.masks = new Uint32Array(capacity)
    this.#kind = new Uint8Array(capacity).fill(LINE, 0, lines)
    this.#level = new Uint32Array(capacity)
    this.#raised = new Float64Array(capacity)
    this.#delivered = new Float64Array(capacity)
    this.#spurious = new Float64Array(capacity)
    this.#stuck = new Float64Array(capacity)
    this.#holds = Array.from({ length: capacity }, () => [])
  }

  assert(irq: number): void {
    if (this.#kind[irq] !== LINE) throw new RangeError(`interrupt ${irq} is not a line`)
    if (this.#level[irq]!++ !== 0) return
    this.#raised[irq]!++
    this.offer(irq)
  }

  deassert(irq: number): void {
    if (this.#kind[irq] !== LINE || this.#level[irq] === 0) throw new RangeError(`line ${irq} is not asserted`)
    if (--this.#level[irq]! === 0) this.fell(irq)
  }

  asserted(irq: number): boolean {
    if (this.#kind[irq] !== LINE) return false
    return this.#level[irq] !== 0 || this.#holds[irq]!.some(({ level }) => level !== 0)
  }

  /** One client's own sources rose, or all of them fell. */
  rose(hold: Hold): void {
    this.#raised[hold.irq]!++
    if (hold.attached) this.#tell(hold)
  }

  fell(irq: number): void {
    if (!this.asserted(irq)) this.#stuck[irq] = 0
  }

  message(irq: number): void {
    if (this.#kind[irq] !== MESSAGE) throw new RangeError(`interrupt ${irq} is not an allocated message`)
    this.#raised[irq]!++
    if (this.#holds[irq]!.length === 0) {
      this.#spurious[irq]!++
      return
    }
    this.#level[irq] = 1
    this.offer(irq)
  }

  allocate(count: number, align = 1): number {
    const first = Math.ceil(this.lines / align) * align
    for (let base = first; base + count <= this.capacity; base += align) {
      let free = 0
      while (free < count && this.#kind[base + free] === 0) free++
      if (free < count) continue
      this.#kind.fill(MESSAGE, base, base + count)
      this.allocated += count
      return base
    }
    return -1
  }

  free(first: number, count: number): void {
    for (let irq = first; irq < first + count; irq++) {
      if (this.#kind[irq] !== MESSAGE) throw new RangeError(`interrupt ${irq} is not an allocated message`)
      const holds = this.#holds[irq]!
      while (holds.length !== 0) holds[0]!.detach()
      this.#kind[irq] = 0
      this.#level[irq] = 0
      this.allocated--
    }
  }

  attach(irq: number, notify: InterruptClient): Attachment {
    if (!this.#kind[irq]) throw new RangeError(`interrupt ${irq} is neither a line nor an allocated message`)
    const hold = new Hold(this, irq, notify)
    this.#holds[irq]!.push(hold)
    this.attachments++
    this.offer(irq)
    return hold
  }

  counts(irq: number): InterruptCounts {
    return {
      raised: this.#raised[irq] ?? 0,
      delivered: this.#delivered[irq] ?? 0,
      spurious: this.#spurious[irq] ?? 0,
      stuck: this.#stuck[irq] ?? 0,
    }
  }

  deliverable(hold: Hold): boolean {
    return (hold.level !== 0 && hold.maskDepth === 0) || (this.#level[hold.irq] !== 0 && this.masks[hold.irq] === 0)
  }

  /** Tell every client that does not know yet. */
  offer(irq: number): void {
    const holds = this.#holds[irq]!
    for (let i = 0; i < holds.length; i++) this.#tell(holds[i]!)
  }

  #tell(hold: Hold): void {
    if (hold.notified || hold.inService || !this.deliverable(hold)) return
    hold.notified = true
    hold.notify(hold.irq)
  }

  begin(hold: Hold): boolean {
    const irq = hold.irq
    if (!this.deliverable(hold)) {
      // A masked interrupt is only late: unmasking offers it again.
      if (this.#level[irq] === 0 && hold.level === 0) this.#spurious[irq]!++
      return false
    }
    if (this.#kind[irq] === MESSAGE) this.#level[irq] = 0
    this.#delivered[irq]!++
    hold.inService = true
    return true
  }

  end(hold: Hold): void {
    const irq = hold.irq
    if (this.#level[irq] === 0 && hold.level === 0) return
    if (this.#kind[irq] === LINE) this.#stuck[irq]!++
    this.offer(irq)
  }

  detach(hold: Hold): void {
    const holds = this.#holds[hold.irq]!
    holds.splice(holds.indexOf(hold), 1)
    this.attachments--
    this.masks[hold.irq]! -= hold.maskDepth
    hold.maskDepth = 0
    if (this.#kind[hold.irq] === MESSAGE && holds.length === 0) this.#level[hold.irq] = 0
    this.offer(hold.irq)
  }
}

/**
 * A controller with `lines` level-triggered lines (numbers 0 .. lines-1) and room for messages up to `capacity` numbers
 * in all.
 */
export const createInterruptController = (options: { lines?: number; capacity?: number } = {}): InterruptController =>
  new Controller(options.lines ?? 24, options.capacity ?? 256)
