/** Register bits of the RTL8139C by name: RTL8139C(L) data sheet, section 6. R: read-only, RW: read and write. */

/** CR, 37h. */
export const CR_RST = 1 << 4 // RW: software reset, clears itself
export const CR_RE = 1 << 3 // RW: receiver enable
export const CR_TE = 1 << 2 // RW: transmitter enable
export const CR_BUFE = 1 << 0 // R: receive buffer is empty

/** ISR and IMR, 3Eh and 3Ch. */
export const INT_SERR = 1 << 15 // system error on the PCI bus
export const INT_TIMEOUT = 1 << 14 // TCTR reached TimerInt
export const INT_LENCHG = 1 << 13 // cable length changed after the receiver was enabled
export const INT_FOVW = 1 << 6 // receive FIFO overflow
export const INT_PUN = 1 << 5 // packet underrun or link change
export const INT_RXOVW = 1 << 4 // receive buffer overflow
export const INT_TER = 1 << 3 // transmit error
export const INT_TOK = 1 << 2 // transmit OK
export const INT_RER = 1 << 1 // receive error
export const INT_ROK = 1 << 0 // receive OK
export const INT_ALL =
  INT_SERR | INT_TIMEOUT | INT_LENCHG | INT_FOVW | INT_PUN | INT_RXOVW | INT_TER | INT_TOK | INT_RER | INT_ROK

/** TSD0-3, 10h to 1Fh. */
export const TSD_CRS = 0x80000000 // R: carrier sense lost
export const TSD_TABT = 0x40000000 // R: transmit abort
export const TSD_OWC = 0x20000000 // R: out of window collision
export const TSD_ERTXTH = 0x003f0000 // RW: early transmit threshold, units of 32 bytes
export const TSD_TOK = 1 << 15 // R: transmitted
export const TSD_TUN = 1 << 14 // R: FIFO underrun
export const TSD_OWN = 1 << 13 // RW: 1 when the descriptor is the host's
export const TSD_SIZE = 0x1fff // RW: bytes
export const TSD_WRITABLE = TSD_ERTXTH | TSD_OWN | TSD_SIZE

/** TCR, 40h. */
export const TCR_HWVER = 0x7cc00000 // R: bits 30-26 and 23-22
export const TCR_IFG = 3 << 24 // RW: inter-frame gap
export const TCR_LBK = 3 << 17 // RW: 11 is loopback
export const TCR_CRC = 1 << 16 // RW: do not append the FCS
export const TCR_MXDMA = 7 << 8 // RW
export const TCR_TXRR = 15 << 4 // RW: retries
export const TCR_CLRABT = 1 << 0 // W: send the aborted descriptor again
export const TCR_WRITABLE = TCR_IFG | TCR_LBK | TCR_CRC | TCR_MXDMA | TCR_TXRR

/** RCR, 44h. */
export const RCR_WRITABLE = 0x0f03ffbf
export const RCR_RBLEN_SHIFT = 11 // RW: ring of 8, 16, 32, 64 KiB (+16 bytes)
export const RCR_ERTH_SHIFT = 24 // RW: early receive threshold, sixteenths of the frame
export const RCR_WRAP = 1 << 7 // RW: write a frame on past the ring's end
export const RCR_AER = 1 << 5 // RW: accept frames with errors
export const RCR_AR = 1 << 4 // RW: accept runts
export const RCR_AB = 1 << 3 // RW: accept broadcast
export const RCR_AM = 1 << 2 // RW: accept multicast that passes the hash
export const RCR_APM = 1 << 1 // RW: accept frames for our address
export const RCR_AAP = 1 << 0 // RW: accept any address

/** Status in front of a received frame. */
export const RX_MAR = 1 << 15 // multicast
export const RX_PAM = 1 << 14 // our own address
export const RX_BAR = 1 << 13 // broadcast
export const RX_RUNT = 1 << 4 // shorter than 64 bytes
export const RX_LONG = 1 << 3 // longer than 4 KiB
export const RX_ROK = 1 << 0 // good frame

/** ERSR, 36h. Write 1 to clear. */
export const ERSR_GOOD = 1 << 3
export const ERSR_BAD = 1 << 2

/** 9346CR, 50h. */
export const EEM_SHIFT = 6
export const EEM_NORMAL = 0
export const EEM_AUTOLOAD = 1
export const EEM_PROGRAM = 2
export const EEM_CONFIG_WRITE = 3
export const EECS = 1 << 3
export const EESK = 1 << 2
export const EEDI = 1 << 1
export const EEDO = 1 << 0

/** CONFIG1, 52h. */
export const CONFIG1_MEMMAP = 1 << 3 // R
export const CONFIG1_IOMAP = 1 << 2 // R
export const CONFIG1_PMEN = 1 << 0 // RW
/** CONFIG0-5: bits a driver may write. */
export const CONFIG_WRITABLE = [0x00, 0xf3, 0x00, 0x70, 0xf5, 0x7f] as const

/** MSR, 58h. */
export const MSR_WRITABLE = 0xc0 // TXFCE, RXFCE
export const MSR_SPEED_10 = 1 << 3 // R: 1 at 10 Mb/s
export const MSR_LINKB = 1 << 2 // R: 1 when there is no link

/** BMCR, 62h; IEEE 802.3 clause 22 has the same bits. */
export const BMCR_RESET = 1 << 15
export const BMCR_SPEED_100 = 1 << 13
export const BMCR_ANE = 1 << 12
export const BMCR_RESTART = 1 << 9
export const BMCR_FULL_DUPLEX = 1 << 8
/** Bits that can only be written in configuration write mode. */
export const BMCR_LOCKED = BMCR_SPEED_100 | BMCR_ANE | BMCR_FULL_DUPLEX

/** BMSR, 64h. */
export const BMSR_ABLE = 0x7809 // 100 and 10 Mb/s, both duplexes, auto-negotiation, extended registers
export const BMSR_AN_COMPLETE = 1 << 5
export const BMSR_LINK = 1 << 2

/** ANAR and ANLPAR, 66h and 68h. */
export const AN_100_FULL = 1 << 8
export const AN_100_HALF = 1 << 7
export const AN_10_FULL = 1 << 6
export const AN_10_HALF = 1 << 5
export const AN_ACK = 1 << 14
export const AN_PAUSE = 1 << 10
export const AN_802_3 = 1
export const ANAR_RESET = AN_PAUSE | AN_100_FULL | AN_100_HALF | AN_10_FULL | AN_10_HALF | AN_802_3
export const ANAR_WRITABLE = 0xbfff

/** ANER, 6Ah. */
export const ANER_PARTNER_ABLE = 1 << 0

/** CSCR, 74h. Bits 10 and 11 are not in the data sheet; drivers rely on them. */
export const CSCR_WRITABLE = 0x83e5
export const CSCR_RESET = 0x03c0
export const CSCR_LINK_OK = 1 << 10
export const CSCR_LINK_CHANGED = 1 << 11
export const CSCR_CONNECTED = 1 << 3
