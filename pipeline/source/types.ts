/** What source analysis says about a module: plain data, fit for JSON. Lines and columns count from 1. */
import type { DeviceId } from '../package.ts'

export interface Place {
  /** Path in the tree. */
  readonly file: string
  readonly line: number
}

/** Use of a name the module does not define: a kernel function called, or a kernel object or function mentioned. */
export interface NameUse {
  readonly name: string
  /** Called, at least once; else only mentioned (a callback, a variable). */
  readonly called: boolean
  readonly count: number
  /** The first few places. */
  readonly places: readonly Place[]
}

export interface ParseError extends Place {
  readonly column: number
  readonly message: string
}

/** Something that cannot be compiled to wasm. */
export interface Untranslatable extends Place {
  readonly construct: 'inline-assembler' | 'computed-goto' | 'label-address' | 'register-variable'
  readonly text: string
}

export interface TableEntry extends Place {
  /** Fields the text gives, by member name; numbers where they could be evaluated, strings, else source text. */
  readonly fields: Readonly<Record<string, number | string>>
  /** The entry as an id of the bus, where that is known and all of it could be evaluated. */
  readonly id?: DeviceId
}

export interface DeviceTable extends Place {
  /** First argument of MODULE_DEVICE_TABLE: pci, usb, of, platform, ... */
  readonly bus: string
  readonly name: string
  readonly entries: readonly TableEntry[]
}

export interface SourceParam extends Place {
  readonly name: string
  readonly type: string
  readonly array: boolean
  readonly description?: string
}

export interface SourceExport extends Place {
  readonly symbol: string
  readonly gplOnly: boolean
}

export interface FileFacts {
  readonly path: string
  /** SPDX-License-Identifier, if the file has one. */
  readonly spdx: string | null
  readonly lines: number
  /** Read because another file of the module includes it. */
  readonly header: boolean
}

export interface Analysis {
  readonly schema: 'drvport.source/1'
  readonly files: readonly FileFacts[]
  readonly metadata: {
    readonly licenses: readonly string[]
    readonly authors: readonly string[]
    readonly descriptions: readonly string[]
    readonly versions: readonly string[]
    readonly firmware: readonly string[]
    readonly aliases: readonly string[]
    readonly imports: readonly string[]
  }
  readonly params: readonly SourceParam[]
  readonly tables: readonly DeviceTable[]
  readonly exports: readonly SourceExport[]
  readonly uses: readonly NameUse[]
  readonly untranslatable: readonly Untranslatable[]
  readonly parseErrors: readonly ParseError[]
  /** Buses the driver binds on, and the classes of device it offers, as far as the text tells. */
  readonly buses: readonly string[]
  readonly classes: readonly string[]
}

/** A C file or header of the module. */
export interface SourceText {
  readonly path: string
  readonly text: string
}

/** Read-only view of the kernel tree. */
export interface TreeReader {
  /** Text of a file by its path in the tree; undefined when there is none. */
  read(path: string): Promise<string | undefined>
}
