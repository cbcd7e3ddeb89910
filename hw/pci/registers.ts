/**
 * Configuration space by name: PCI Local Bus Specification 3.0 chapter 6, PCI Power Management 1.2 chapter 3, PCI
 * Express Base 2.0 section 7.8.
 */

/** Type 0 header, section 6.1. */
export const VENDOR_ID = 0x00
export const DEVICE_ID = 0x02
export const COMMAND = 0x04
export const STATUS = 0x06
export const REVISION_ID = 0x08
export const CLASS_CODE = 0x09
export const CACHE_LINE_SIZE = 0x0c
export const LATENCY_TIMER = 0x0d
export const HEADER_TYPE = 0x0e
export const BAR0 = 0x10
export const SUBSYSTEM_VENDOR_ID = 0x2c
export const SUBSYSTEM_ID = 0x2e
export const ROM_BAR = 0x30
export const CAPABILITIES_POINTER = 0x34
export const INTERRUPT_LINE = 0x3c
export const INTERRUPT_PIN = 0x3d
export const MIN_GNT = 0x3e
export const MAX_LAT = 0x3f
export const FIRST_CAPABILITY = 0x40
export const CONFIG_BYTES = 256

/** Command register, section 6.2.2. */
export const COMMAND_IO = 1 << 0
export const COMMAND_MEMORY = 1 << 1
export const COMMAND_MASTER = 1 << 2
export const COMMAND_INVALIDATE = 1 << 4
export const COMMAND_PARITY = 1 << 6
export const COMMAND_SERR = 1 << 8
export const COMMAND_INTX_DISABLE = 1 << 10
export const COMMAND_WRITABLE =
  COMMAND_IO |
  COMMAND_MEMORY |
  COMMAND_MASTER |
  COMMAND_INVALIDATE |
  COMMAND_PARITY |
  COMMAND_SERR |
  COMMAND_INTX_DISABLE

/** Status register, section 6.2.3. The error bits are write 1 to clear. */
export const STATUS_INTERRUPT = 1 << 3
export const STATUS_CAPABILITIES = 1 << 4
export const STATUS_TARGET_ABORT = 1 << 12
export const STATUS_MASTER_ABORT = 1 << 13
export const STATUS_WRITE_1_CLEARS = 0xf900

/** Base address registers, section 6.2.5. */
export const BAR_IS_IO = 1 << 0
export const BAR_IS_MEM64 = 2 << 1
export const BAR_IS_PREFETCHABLE = 1 << 3

/** Expansion ROM base address register, section 6.2.5.2. As a BAR it counts as the one after the six. */
export const ROM_ENABLE = 1 << 0
export const ROM_INDEX = 6
export const ROM_BYTES_MIN = 2048

/** Where the register of a BAR is. */
export const barRegister = (index: number): number => (index === ROM_INDEX ? ROM_BAR : BAR0 + 4 * index)

/** Capability ids, appendix H. */
export const CAP_POWER = 0x01
export const CAP_MSI = 0x05
export const CAP_EXPRESS = 0x10
export const CAP_MSIX = 0x11

/** Offsets within the capabilities. */
export const PMC = 2
export const PMCSR = 4
export const MSI_CONTROL = 2
export const MSI_ADDRESS = 4
export const MSIX_CONTROL = 2
export const MSIX_TABLE = 4
export const MSIX_PBA = 8
export const EXP_FLAGS = 2
export const EXP_DEVICE_CAP = 4
export const EXP_DEVICE_CONTROL = 8
export const EXP_LINK_CAP = 12
export const EXP_LINK_STATUS = 18

export const MSI_ENABLE = 1 << 0
export const MSI_64BIT = 1 << 7
export const MSIX_FUNCTION_MASK = 1 << 14
export const MSIX_ENABLE = 1 << 15
export const EXP_FLR_CAPABLE = 1 << 28
export const EXP_INITIATE_FLR = 1 << 15

/** Where messages go: the address range the interrupt controller listens on, data = interrupt number. */
export const MESSAGE_ADDRESS = 0xfee00000
