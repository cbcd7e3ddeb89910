/** First in, first out, in a ring that grows but never shrinks: pushing and taking allocate nothing. */
export class Queue<T> {
  #ring: (T | undefined)[] = Array.from({ length: 16 })
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#ring.length) this.#grow()
    this.#ring[(this.#head + this.#length++) & (this.#ring.length - 1)] = item
  }

  /** Take the first; undefined when empty. */
  shift(): T | undefined {
    if (this.#length === 0) return undefined
    const item = this.#ring[this.#head]
    this.#ring[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    return item
  }

  #grow(): void {
    const old = this.#ring
    this.#ring = Array.from({ length: old.length * 2 })
    for (let i = 0; i < old.length; i++) this.#ring[i] = old[(this.#head + i) % old.length]
    this.#head = 0
  }
}
