/**
 * Message signalled interrupts of one function: the MSI registers and the MSI-X table and pending bits.
 *
 * It turns "send message v" into the 16 bits of data the function would write to the message address, or into nothing
 * when the registers say so. It must not know who listens there.
 */

import type { PciCapabilities } from '../types.ts'
import type { ConfigSpace } from './config.ts'
import * as R from './registers.ts'

/** Put a message on the bus: `address` and `data` as the registers hold them. */
export type MessagePost = (address: number, data: number) => void

/** MSI-X table entry, in 32-bit words. */
const ENTRY_WORDS = 4
const ENTRY_ADDRESS = 0
const ENTRY_DATA = 2
const ENTRY_CONTROL = 3
const ENTRY_MASKED = 1

export class Messages {
  /** MSI or MSI-X is on. */
  enabled = false
  readonly #config: ConfigSpace
  readonly #spec: PciCapabilities
  readonly #post: MessagePost
  readonly #table: Uint32Array
  readonly #pending: Uint32Array
  #msiVectors = 0
  #msix = false
  #msixMasked = false

  constructor(config: ConfigSpace, spec: PciCapabilities, post: MessagePost) {
    this.#config = config
    this.#spec = spec
    this.#post = post
    const vectors = spec.msix?.vectors ?? 0
    this.#table = new Uint32Array(vectors * ENTRY_WORDS)
    this.#pending = new Uint32Array(Math.ceil(vectors / 32))
    this.reset()
  }

  reset(): void {
    this.#table.fill(0)
    for (let i = ENTRY_CONTROL; i < this.#table.length; i += ENTRY_WORDS) this.#table[i] = ENTRY_MASKED
    this.#pending.fill(0)
    this.configChanged()
  }

  /** The capability registers were written. */
  configChanged(): void {
    const { msi, msix } = this.#config.capabilities
    const msiControl = msi ? this.#config.get16(msi + R.MSI_CONTROL) : 0
    const msixControl = msix ? this.#config.get16(msix + R.MSIX_CONTROL) : 0
    const most = this.#spec.msi?.vectors ?? 0
    this.#msiVectors = msiControl & R.MSI_ENABLE ? Math.min(most, 1 << ((msiControl >> 4) & 7)) : 0
    this.#msix = (msixControl & R.MSIX_ENABLE) !== 0
    this.#msixMasked = (msixControl & R.MSIX_FUNCTION_MASK) !== 0
    this.enabled = this.#msix || this.#msiVectors !== 0
    this.#flush()
  }

  send(vector: number): void {
    if (this.#msix) this.#sendMsix(vector)
    else if (this.#msiVectors !== 0) this.#sendMsi(vector)
  }

  #sendMsi(vector: number): void {
    const at = this.#config.capabilities.msi
    const mask = this.#msiVectors - 1
    const data = this.#config.get16(at + R.MSI_ADDRESS + (this.#spec.msi!.address64 ? 8 : 4))
    this.#post(this.#config.get32(at + R.MSI_ADDRESS), (data & ~mask) | (vector & mask))
  }

  #sendMsix(vector: number): void {
    const entry = vector * ENTRY_WORDS
    if (entry >= this.#table.length) return
    if (this.#msixMasked || this.#table[entry + ENTRY_CONTROL]! & ENTRY_MASKED) {
      this.#pending[vector >>> 5]! |= 1 << (vector & 31)
      return
    }
    this.#pending[vector >>> 5]! &= ~(1 << (vector & 31))
    this.#post(this.#table[entry + ENTRY_ADDRESS]!, this.#table[entry + ENTRY_DATA]!)
  }

  /** Send what was held back and may go now. */
  #flush(): void {
    if (!this.#msix || this.#msixMasked) return
    for (let i = 0; i < this.#table.length / ENTRY_WORDS; i++)
      if (this.#pending[i >>> 5]! & (1 << (i & 31))) this.#sendMsix(i)
  }

  /** Host side: write one MSI-X entry and unmask it. */
  program(vector: number, address: number, data: number): void {
    this.#table.set([address, 0, data, 0], vector * ENTRY_WORDS)
  }

  /** True when an offset of a BAR is the MSI-X table or its pending bits. */
  covers(bar: number, offset: number): boolean {
    const spec = this.#spec.msix
    if (!spec || spec.tableBar !== bar) return false
    const entry = offset - spec.tableOffset
    const pending = offset - spec.pbaOffset
    return (entry >= 0 && entry < this.#table.byteLength) || (pending >= 0 && pending < this.#pending.byteLength)
  }

  /** Read table or pending bits; only aligned 4-byte accesses are defined. */
  read(offset: number, width: number): number {
    const spec = this.#spec.msix!
    if (width !== 4) return 0
    const entry = (offset - spec.tableOffset) >> 2
    if (entry >= 0 && entry < this.#table.length) return this.#table[entry]!
    return this.#pending[(offset - spec.pbaOffset) >> 2] ?? 0
  }

  write(offset: number, width: number, value: number): void {
    const word = (offset - this.#spec.msix!.tableOffset) >> 2
    if (width !== 4 || word < 0 || word >= this.#table.length) return
    this.#table[word] = word % ENTRY_WORDS === ENTRY_CONTROL ? value & ENTRY_MASKED : value
    if (word % ENTRY_WORDS === ENTRY_CONTROL) this.#flush()
  }
}
