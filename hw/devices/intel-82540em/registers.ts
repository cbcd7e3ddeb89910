/**
 * The 82540EM's register file as its data sheet lays it out: offsets, what may be written, reset values, bits.
 *
 * Sections are those of Intel's "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (SDM).
 * This table is the only place that says which bits of a register exist. What an access *does* besides storing bits is
 * bound in intel-82540em.ts; nothing here knows of behaviour.
 *
 * Access: `rw` stores the writable bits; `ro` ignores writes; `wo` reads as zero; `rc` is cleared by reading it.
 */

export type Access = 'rw' | 'ro' | 'wo' | 'rc'

export interface RegisterSpec {
  readonly name: string
  /** Byte offset in BAR 0; a multiple of 4. */
  readonly offset: number
  readonly access: Access
  /** Bits a write stores; all others keep their value. */
  readonly writable: number
  readonly reset: number
  /** Registers in the array, 1 when absent. */
  readonly count?: number
  /** Bytes between the registers of an array, 4 when absent. */
  readonly stride?: number
  readonly section: string
}

// General registers
export const CTRL = 0x00000
export const CTRL_DUP = 0x00004
export const STATUS = 0x00008
export const EECD = 0x00010
export const EERD = 0x00014
export const CTRL_EXT = 0x00018
export const FLA = 0x0001c
export const MDIC = 0x00020
export const FCAL = 0x00028
export const FCAH = 0x0002c
export const FCT = 0x00030
export const VET = 0x00038
export const FCTTV = 0x00170
export const TXCW = 0x00178
export const RXCW = 0x00180
export const LEDCTL = 0x00e00
export const PBA = 0x01000

// Interrupts
export const ICR = 0x000c0
export const ITR = 0x000c4
export const ICS = 0x000c8
export const IMS = 0x000d0
export const IMC = 0x000d8

// Receive
export const RCTL = 0x00100
export const FCRTL = 0x02160
export const FCRTH = 0x02168
export const RDBAL = 0x02800
export const RDBAH = 0x02804
export const RDLEN = 0x02808
export const RDH = 0x02810
export const RDT = 0x02818
export const RDTR = 0x02820
export const RXDCTL = 0x02828
export const RADV = 0x0282c
export const RSRPD = 0x02c00
export const RXCSUM = 0x05000

// Transmit
export const TCTL = 0x00400
export const TIPG = 0x00410
export const AIT = 0x00458
export const TXDMAC = 0x03000
export const TDBAL = 0x03800
export const TDBAH = 0x03804
export const TDLEN = 0x03808
export const TDH = 0x03810
export const TDT = 0x03818
export const TIDV = 0x03820
export const TXDCTL = 0x03828
export const TADV = 0x0382c
export const TSPMT = 0x03830

// Receive filters
export const MTA = 0x05200
export const RA = 0x05400
export const VFTA = 0x05600

// Wake-up and management
export const WUC = 0x05800
export const WUFC = 0x05808
export const WUS = 0x05810
export const MANC = 0x05820
export const IPAV = 0x05838
export const IP4AT = 0x05840
export const IP6AT = 0x05880
export const WUPL = 0x05900
export const WUPM = 0x05a00
export const FFLT = 0x05f00
export const FFMT = 0x09000
export const FFVT = 0x09800

// Diagnostics
export const RDFH = 0x02410
export const RDFT = 0x02418
export const RDFHS = 0x02420
export const RDFTS = 0x02428
export const RDFPC = 0x02430
export const TDFH = 0x03410
export const TDFT = 0x03418
export const TDFHS = 0x03420
export const TDFTS = 0x03428
export const TDFPC = 0x03430
export const PBM = 0x10000

/** Bytes of BAR 0. */
export const MEMORY_BYTES = 0x20000

// CTRL, 13.4.1
export const CTRL_FD = 1 << 0
export const CTRL_SLU = 1 << 6
export const CTRL_ILOS = 1 << 7
export const CTRL_SPEED_SHIFT = 8
export const CTRL_FRCSPD = 1 << 11
export const CTRL_FRCDPX = 1 << 12
export const CTRL_RST = 1 << 26
export const CTRL_RFCE = 1 << 27
export const CTRL_TFCE = 1 << 28
export const CTRL_VME = 1 << 30
export const CTRL_PHY_RST = 0x80000000

// STATUS, 13.4.2
export const STATUS_FD = 1 << 0
export const STATUS_LU = 1 << 1
export const STATUS_TXOFF = 1 << 4
export const STATUS_SPEED_SHIFT = 6
export const STATUS_PCI66 = 1 << 11

// EECD, 13.4.3
export const EECD_SK = 1 << 0
export const EECD_CS = 1 << 1
export const EECD_DI = 1 << 2
export const EECD_DO = 1 << 3
export const EECD_FWE_DISABLE = 1 << 4
export const EECD_REQ = 1 << 6
export const EECD_GNT = 1 << 7
export const EECD_PRES = 1 << 8

// EERD, 13.4.4
export const EERD_START = 1 << 0
export const EERD_DONE = 1 << 4

// CTRL_EXT, 13.4.6
export const CTRL_EXT_EE_RST = 1 << 13

// MDIC, 13.4.7
export const MDIC_OP_WRITE = 1 << 26
export const MDIC_OP_READ = 1 << 27
export const MDIC_READY = 1 << 28
export const MDIC_INT_EN = 1 << 29
export const MDIC_ERROR = 1 << 30

// ICR, ICS, IMS, IMC, 13.4.17 to 13.4.21
export const ICR_TXDW = 1 << 0
export const ICR_TXQE = 1 << 1
export const ICR_LSC = 1 << 2
export const ICR_RXSEQ = 1 << 3
export const ICR_RXDMT0 = 1 << 4
export const ICR_RXO = 1 << 6
export const ICR_RXT0 = 1 << 7
export const ICR_MDAC = 1 << 9
export const ICR_TXD_LOW = 1 << 15
export const ICR_SRPD = 1 << 16
/** Causes that exist: bits 5 and 8 and everything above SRPD are reserved, yet ICS can set the low 15. */
export const ICR_ALL = 0x0001ffff

// RCTL, 13.4.22
export const RCTL_EN = 1 << 1
export const RCTL_SBP = 1 << 2
export const RCTL_UPE = 1 << 3
export const RCTL_MPE = 1 << 4
export const RCTL_LPE = 1 << 5
export const RCTL_LBM_MASK = 3 << 6
export const RCTL_LBM_MAC = 1 << 6
export const RCTL_RDMTS_SHIFT = 8
export const RCTL_MO_SHIFT = 12
export const RCTL_BAM = 1 << 15
export const RCTL_BSIZE_SHIFT = 16
export const RCTL_VFE = 1 << 18
export const RCTL_CFIEN = 1 << 19
export const RCTL_CFI = 1 << 20
export const RCTL_DPF = 1 << 22
export const RCTL_PMCF = 1 << 23
export const RCTL_BSEX = 1 << 25
export const RCTL_SECRC = 1 << 26

// RXCSUM, 13.4.47
export const RXCSUM_PCSS_MASK = 0xff
export const RXCSUM_IPOFL = 1 << 8
export const RXCSUM_TUOFL = 1 << 9

// TCTL, 13.4.33
export const TCTL_EN = 1 << 1
export const TCTL_PSP = 1 << 3
export const TCTL_SWXOFF = 1 << 22

// TIDV, RDTR: flush partial descriptor block
export const DELAY_FPD = 0x80000000

// TXDCTL, 13.4.43
export const TXDCTL_LWTHRESH_SHIFT = 25

// FCRTL, 13.4.23
export const FCRTL_XONE = 0x80000000

// RAH, 13.5.3
export const RAH_AV = 0x80000000
export const RAH_ASEL_MASK = 3 << 16

const rw = (name: string, offset: number, writable: number, reset: number, section: string): RegisterSpec => ({
  name,
  offset,
  access: 'rw',
  writable,
  reset,
  section,
})

const array = (spec: RegisterSpec, count: number, stride = 4): RegisterSpec => ({ ...spec, count, stride })

const readOnly = (name: string, offset: number, reset: number, section: string): RegisterSpec => ({
  name,
  offset,
  access: 'ro',
  writable: 0,
  reset,
  section,
})

const writeOnly = (name: string, offset: number, writable: number, section: string): RegisterSpec => ({
  name,
  offset,
  access: 'wo',
  writable,
  reset: 0,
  section,
})

/** Every register but the statistics, which have their own table in statistics.ts. */
export const REGISTERS: readonly RegisterSpec[] = [
  rw('CTRL', CTRL, 0xfbffffff, 0x00000201, '13.4.1'),
  rw('CTRL_DUP', CTRL_DUP, 0xfbffffff, 0x00000201, '13.4.1'),
  readOnly('STATUS', STATUS, STATUS_PCI66, '13.4.2'),
  rw('EECD', EECD, 0x00000077, EECD_PRES | EECD_FWE_DISABLE, '13.4.3'),
  rw('EERD', EERD, 0x0000ff01, 0, '13.4.4'),
  rw('CTRL_EXT', CTRL_EXT, 0x0001dfff, 0, '13.4.6'),
  rw('FLA', FLA, 0, 0, '13.4.5'),
  rw('MDIC', MDIC, 0x2fffffff, 0, '13.4.7'),
  rw('FCAL', FCAL, 0xffffffff, 0, '13.4.8'),
  rw('FCAH', FCAH, 0x0000ffff, 0, '13.4.9'),
  rw('FCT', FCT, 0x0000ffff, 0, '13.4.10'),
  rw('VET', VET, 0x0000ffff, 0x8100, '13.4.11'),
  rw('FCTTV', FCTTV, 0x0000ffff, 0, '13.4.12'),
  rw('TXCW', TXCW, 0xc000ffff, 0, '13.4.13'),
  readOnly('RXCW', RXCW, 0, '13.4.14'),
  rw('LEDCTL', LEDCTL, 0xcfcfcfcf, 0x07068302, '13.4.15'),
  rw('PBA', PBA, 0x0000ffff, 0x00100030, '13.4.16'),

  { name: 'ICR', offset: ICR, access: 'rc', writable: ICR_ALL, reset: 0, section: '13.4.17' },
  rw('ITR', ITR, 0x0000ffff, 0, '13.4.18'),
  writeOnly('ICS', ICS, ICR_ALL, '13.4.19'),
  rw('IMS', IMS, ICR_ALL, 0, '13.4.20'),
  writeOnly('IMC', IMC, ICR_ALL, '13.4.21'),

  rw('RCTL', RCTL, 0x06dfb3fe, 0, '13.4.22'),
  rw('FCRTL', FCRTL, 0x8000fff8, 0, '13.4.23'),
  rw('FCRTH', FCRTH, 0x0000fff8, 0, '13.4.24'),
  rw('RDBAL', RDBAL, 0xfffffff0, 0, '13.4.25'),
  rw('RDBAH', RDBAH, 0xffffffff, 0, '13.4.26'),
  rw('RDLEN', RDLEN, 0x000fff80, 0, '13.4.27'),
  rw('RDH', RDH, 0x0000ffff, 0, '13.4.28'),
  rw('RDT', RDT, 0x0000ffff, 0, '13.4.29'),
  rw('RDTR', RDTR, 0x0000ffff, 0, '13.4.30'),
  rw('RADV', RADV, 0x0000ffff, 0, '13.4.31'),
  rw('RSRPD', RSRPD, 0x00000fff, 0, '13.4.32'),
  rw('RXDCTL', RXDCTL, 0x013f3f3f, 0x01010000, '13.4.46'),
  rw('RXCSUM', RXCSUM, 0x000003ff, 0, '13.4.47'),

  rw('TCTL', TCTL, 0x03fffffe, 0, '13.4.33'),
  rw('TIPG', TIPG, 0x3fffffff, 0x00602008, '13.4.34'),
  rw('AIT', AIT, 0x0000ffff, 0, '13.4.35'),
  rw('TDBAL', TDBAL, 0xfffffff0, 0, '13.4.36'),
  rw('TDBAH', TDBAH, 0xffffffff, 0, '13.4.37'),
  rw('TDLEN', TDLEN, 0x000fff80, 0, '13.4.38'),
  rw('TDH', TDH, 0x0000ffff, 0, '13.4.39'),
  rw('TDT', TDT, 0x0000ffff, 0, '13.4.40'),
  rw('TIDV', TIDV, 0x0000ffff, 0, '13.4.41'),
  rw('TXDMAC', TXDMAC, 0x00000001, 0, '13.4.42'),
  rw('TXDCTL', TXDCTL, 0xff3f3f3f, 0, '13.4.43'),
  rw('TADV', TADV, 0x0000ffff, 0, '13.4.44'),
  rw('TSPMT', TSPMT, 0xffffffff, 0x01000400, '13.4.45'),

  array(rw('MTA', MTA, 0xffffffff, 0, '13.5.1'), 128),
  array(rw('RAL', RA, 0xffffffff, 0, '13.5.2'), 16, 8),
  array(rw('RAH', RA + 4, 0x8003ffff, 0, '13.5.3'), 16, 8),
  array(rw('VFTA', VFTA, 0xffffffff, 0, '13.5.4'), 128),

  rw('WUC', WUC, 0x0000000f, 0, '13.6.1'),
  rw('WUFC', WUFC, 0x000f80ff, 0, '13.6.2'),
  readOnly('WUS', WUS, 0, '13.6.3'),
  rw('MANC', MANC, 0x01ffff00, 0, '13.6'),
  rw('IPAV', IPAV, 0x0001000f, 0, '13.6.4'),
  array(rw('IP4AT', IP4AT, 0xffffffff, 0, '13.6.5'), 4, 8),
  array(rw('IP6AT', IP6AT, 0xffffffff, 0, '13.6.6'), 4),
  readOnly('WUPL', WUPL, 0, '13.6.7'),
  array(readOnly('WUPM', WUPM, 0, '13.6.8'), 32),
  array(rw('FFLT', FFLT, 0x000007ff, 0, '13.6.9'), 4, 8),
  array(rw('FFMT', FFMT, 0x0000000f, 0, '13.6.10'), 128, 8),
  array(rw('FFVT', FFVT, 0xffffffff, 0, '13.6.11'), 128, 8),

  rw('RDFH', RDFH, 0x00001fff, 0, '13.8.1'),
  rw('RDFT', RDFT, 0x00001fff, 0, '13.8.2'),
  rw('RDFHS', RDFHS, 0x00001fff, 0, '13.8.3'),
  rw('RDFTS', RDFTS, 0x00001fff, 0, '13.8.4'),
  readOnly('RDFPC', RDFPC, 0, '13.8.5'),
  rw('TDFH', TDFH, 0x00001fff, 0, '13.8.6'),
  rw('TDFT', TDFT, 0x00001fff, 0, '13.8.7'),
  rw('TDFHS', TDFHS, 0x00001fff, 0, '13.8.8'),
  rw('TDFTS', TDFTS, 0x00001fff, 0, '13.8.9'),
  readOnly('TDFPC', TDFPC, 0, '13.8.10'),
  array(rw('PBM', PBM, 0xffffffff, 0, '13.8.11'), 0x4000),
]
