/**
 * What a driver package says of itself: the manifest beside the wasm file.
 *
 * Types and names only, importing nothing, because the machine reads packages too and must not depend on the pipeline.
 * A package is a directory `<store>/packages/<key>/` with NAME.wasm (instrumented), NAME.json (this manifest) and
 * NAME.lines (compact line table).
 */

export const PACKAGE_SCHEMA = 'drvport.package/1'

/** All ones in a 32-bit id field: any value matches. */
export const ANY_ID = 0xffffffff

export interface PciId {
  readonly bus: 'pci'
  readonly vendor: number
  readonly device: number
  readonly subvendor: number
  readonly subdevice: number
  /** class << 16 | subclass << 8 | programming interface */
  readonly class: number
  readonly classMask: number
  /** It matches only a device that an administrator set aside for its driver. */
  readonly overrideOnly?: true
}

/** What is absent is not compared. */
export interface UsbId {
  readonly bus: 'usb'
  readonly vendor: number
  readonly product: number
  /** Of the device, as in its descriptor (BCD); both ends are included. */
  readonly releaseMin?: number
  readonly releaseMax?: number
  readonly deviceClass?: number
  readonly deviceSubclass?: number
  readonly deviceProtocol?: number
  readonly interfaceClass?: number
  readonly interfaceSubclass?: number
  readonly interfaceProtocol?: number
  readonly interfaceNumber?: number
}

export interface VirtioId {
  readonly bus: 'virtio'
  readonly device: number
  readonly vendor: number
}

export interface HidId {
  readonly bus: 'hid'
  /** The bus the device itself is on (BUS_USB is 3); 0xffff is any. */
  readonly on: number
  readonly group: number
  readonly vendor: number
  readonly product: number
}

/** An Ethernet PHY: the two identifier registers, and which bits of them count. */
export interface MdioId {
  readonly bus: 'mdio'
  readonly phy: number
  readonly mask: number
}

/** A bus whose ids are plain text: of (compatible), acpi, pnp, i2c, spi, platform, auxiliary... */
export interface NamedId {
  readonly bus: string
  readonly name: string
}

export type DeviceId = PciId | UsbId | VirtioId | HidId | MdioId | NamedId

export interface ModuleParam {
  readonly module: string
  readonly name: string
  readonly type: string
}

export interface SourceFile {
  /** Path in the kernel tree. */
  readonly path: string
  readonly sha256: string
  /** The SPDX expression it states; `NONE` where it states none. */
  readonly spdx?: string
}

/** The tree something was built from. */
export interface TreeFacts {
  readonly name: string
  readonly version: string
  /** A configuration in which the tree's own debugging watches the driver; absent for the plain one. */
  readonly configuration?: string
}

export interface Manifest {
  readonly schema: typeof PACKAGE_SCHEMA
  /** The module asked for, in its file name's spelling. */
  readonly name: string
  readonly abi: number
  readonly tree: TreeFacts
  readonly toolchain: { readonly name: string; readonly version: string }
  /** Module names in dependency order; `name` is last. */
  readonly modules: readonly string[]
  readonly wasm: { readonly file: string; readonly sha256: string; readonly bytes: number }
  readonly lines: { readonly file: string; readonly sha256: string } | null
  /** Every call of the machine that its modules import, `group.call`, sorted. WASI calls are under `wasi`. */
  readonly imports: readonly string[]
  /** Groups of the ABI that the imports belong to, sorted. */
  readonly capabilities: readonly string[]
  readonly ids: readonly DeviceId[]
  readonly params: readonly ModuleParam[]
  readonly firmware: readonly string[]
  /** Limits the package sets itself: memory and dma in bytes, log in characters, the rest in pieces. A machine may set stricter ones. */
  readonly quotas?: Readonly<Partial<Record<'memory' | 'fibers' | 'capabilities' | 'dma' | 'windows' | 'log', number>>>
  readonly sources: readonly SourceFile[]
  /** MODULE_LICENSE texts of the linked modules, sorted. */
  readonly licenses: readonly string[]
  /** Symbols that the linked modules use and the tree exports to GPL-compatible modules only, sorted. */
  readonly gplOnly: readonly string[]
  /** The tree's own kernel, and what is bound to it. */
  readonly core: OnCoreFacts
}

interface PackageFile {
  readonly file: string
  readonly sha256: string
  readonly bytes: number
}

/** A kernel that was linked once, in `<store>/cores/<key>/`, and the modules bound to it, in the order of loading. */
export interface OnCoreFacts {
  readonly key: string
  readonly sha256: string
  readonly tableEnd: number
  readonly moduleBytes: number
  readonly modules: readonly {
    readonly name: string
    /** Loaded when somebody asks for it by name. */
    readonly onCall?: true
    /** It is there for other domains: loaded where drivers serve each other, and then these groups are asked for, too. */
    readonly along?: readonly string[]
    readonly wasm: PackageFile
    readonly lines: PackageFile
    readonly image: PackageFile
    readonly memory: { readonly start: number; readonly end: number }
    readonly table: { readonly start: number; readonly end: number }
    readonly imports: readonly { readonly from: string; readonly name: string; readonly slot?: number }[]
  }[]
}
