/**
 * What sharing memory means, said as plainly as possible: every hold on an object is a record that says who has it, what
 * it may do and from which hold it comes. Shares no code with the kernel.
 */
export interface Hold {
  readonly id: number
  readonly object: number
  readonly from: number
  /** r, w, g (give on), m (map) */
  readonly rights: string
  who: number
}

export interface Memory {
  readonly lent: boolean
  readonly size: number
  readonly bytes: number[]
}

export class MemoryModel {
  objects: Memory[] = []
  holds: Hold[] = []
  #next = 1

  create(who: number, size: number, lent: boolean): number {
    this.objects.push({ lent, size, bytes: Array.from({ length: size }, () => 0) })
    return this.#hold(this.objects.length - 1, 0, 'rwgm', who)
  }

  #hold(object: number, from: number, rights: string, who: number): number {
    this.holds.push({ id: this.#next, object, from, rights, who })
    return this.#next++
  }

  byId = (id: number): Hold | undefined => this.holds.find((hold) => hold.id === id)
  below = (id: number): number[] =>
    this.holds.filter((hold) => hold.from === id).flatMap((hold) => [hold.id, ...this.below(hold.id)])

  /** A further hold of the same one, with fewer rights. Returns its id. */
  mint(id: number, rights: string): number {
    const hold = this.byId(id)!
    const fewer = [...hold.rights].filter((right) => rights.includes(right)).join('')
    return this.#hold(hold.object, id, fewer, hold.who)
  }

  /** Sent to another. Returns the id of what that one then has, or undefined where it is refused. */
  send(id: number, to: number, how: 'copied' | 'moved' | 'exclusive'): number | undefined {
    const hold = this.byId(id)!
    if (!hold.rights.includes('g')) return undefined
    if (how === 'exclusive' && (hold.from !== 0 || this.objects[hold.object]!.lent)) return undefined
    if (how === 'exclusive') this.#end(this.below(id))
    if (how === 'copied') return this.#hold(hold.object, id, hold.rights, to)
    hold.who = to
    return id
  }

  revoke(id: number): void {
    this.#end(this.below(id))
  }

  #end(ids: readonly number[]): void {
    this.holds = this.holds.filter((hold) => !ids.includes(hold.id))
  }

  write(id: number, offset: number, bytes: readonly number[]): boolean {
    const hold = this.byId(id)!
    const object = this.objects[hold.object]!
    if (!hold.rights.includes('w') || offset + bytes.length > object.size) return false
    bytes.forEach((byte, i) => (object.bytes[offset + i] = byte))
    return true
  }

  read(id: number, offset: number, length: number): readonly number[] | undefined {
    const hold = this.byId(id)!
    const object = this.objects[hold.object]!
    if (!hold.rights.includes('r') || offset + length > object.size) return undefined
    return object.bytes.slice(offset, offset + length)
  }
}
