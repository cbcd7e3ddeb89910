/**
 * Bytes that a program writes as text, as lines for a log: split at line ends, at the longest record, and when somebody asks
 * for what there is. What is no UTF-8 is shown as such. Knows no call and no log.
 */

/** Longest line, bytes. */
const LINE_BYTES = 4096
const NEWLINE = 10

const decoder = new TextDecoder()

export class Output {
  readonly #line = new Uint8Array(LINE_BYTES)
  readonly #write: (line: string) => void
  #length = 0

  constructor(write: (line: string) => void) {
    this.#write = write
  }

  take(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i]!
      if (byte !== NEWLINE) this.#line[this.#length++] = byte
      if (byte === NEWLINE || this.#length === LINE_BYTES) this.flush()
    }
  }

  flush(): void {
    if (this.#length === 0) return
    const line = decoder.decode(this.#line.subarray(0, this.#length))
    this.#length = 0
    this.#write(line)
  }
}
