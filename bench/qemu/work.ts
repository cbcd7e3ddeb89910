/** What is done on both sides of the comparison with QEMU. */

export type What = 'start' | 'transmit' | 'receive' | 'kill'

export interface Case {
  readonly driver: 'e1000' | '8139too'
  /** The device, as both sides call it. */
  readonly device: string
  readonly work: readonly Work[]
}

export interface Direction {
  readonly what: 'transmit' | 'receive'
  /** Bytes of a frame without its FCS. */
  readonly bytes: number
  readonly frames: number
  /** Transmit: there, one skb is sent over and over; here, no difference. */
  readonly clone: boolean
}

export type Work = Direction | { readonly what: 'start' } | { readonly what: 'kill' }

export interface Figure {
  readonly wallMs: number
  readonly cpuMs: number
  /** Frames in that time, of work that is counted in frames. */
  readonly frames?: number
}

/** One side: started, measured, stopped. */
export interface Side {
  start(): Promise<Figure>
  measure(work: Work): Promise<Figure>
  stop(): Promise<void>
}
