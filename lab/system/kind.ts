/**
 * What a driver can offer without a modelled device, and how it is used: a kind is found by what has appeared in the kernel
 * under the driver, and exercised as a program would use it, through system calls. No driver is known by name.
 */
import type { System } from '../../machine/linux/system.ts'

/** Where an exercise happens. */
export interface Scene {
  readonly system: System
  /** What has appeared: names as `list` gives them. */
  readonly names: readonly string[]
  /** Let so much virtual time pass. */
  sleep(ns: number): Promise<void>
  /** Virtual time, ns. */
  now(): number
  /** Of the module itself: `alias`, `description` and so on, as modinfo has them. */
  modinfo(field: string): readonly string[]
}

export interface Kind {
  /** What a driver of the kind offers, for people. */
  readonly noun: string
  /** Classes of a module (pipeline/source) that offer it. */
  readonly classes: readonly string[]
  /** Modules that a program would load to use it. They stand beside the driver in its kernel. */
  readonly beside: readonly string[]
  /** What of its kind there is now. */
  list(system: System): Promise<readonly string[]>
  /** What there is to use of what has appeared, where an administrator has to make it first. */
  offers?(scene: Scene): Promise<readonly string[]>
  /** Use all that has appeared, and say what was done: nothing, where a program cannot use it. Throws Broken, SystemError. */
  exercise(scene: Scene): Promise<string>
}

/** Something was not as it must be. */
export class Broken extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'Broken'
  }
}

export function demand(ok: boolean, message: string): asserts ok {
  if (!ok) throw new Broken(message)
}

/** Names in a directory; none where it is not. */
export async function entries(system: System, path: string): Promise<string[]> {
  try {
    return (await system.list(path)).map(({ name }) => name)
  } catch {
    return []
  }
}

const decoder = new TextDecoder()
const encoder = new TextEncoder()

/** A file's text, without white space at its ends. */
export const textOf = async (system: System, path: string): Promise<string> =>
  decoder.decode(await system.readFile(path)).trim()

export const writeText = (system: System, path: string, text: string): Promise<void> =>
  system.writeFile(path, encoder.encode(text))

export const exists = (system: System, path: string): Promise<boolean> =>
  system.stat(path).then(
    () => true,
    () => false,
  )

/** Bytes that are nowhere the same twice in a row, and differ by `salt`. */
export function pattern(length: number, salt: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (salt * 2654435761 + 12345) >>> 0
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Where two differ first; -1 when they do not. */
export function difference(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) return Math.min(a.length, b.length)
  return a.findIndex((byte, i) => byte !== b[i])
}

/** A structure of so many bytes, little-endian: fields by offset. */
export function struct(bytes: number, fields: Readonly<Record<number, number>> = {}): Uint8Array {
  const memory = new Uint8Array(bytes)
  const view = new DataView(memory.buffer)
  for (const [offset, value] of Object.entries(fields)) view.setUint32(Number(offset), value >>> 0, true)
  return memory
}

export const word = (bytes: Uint8Array, offset: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true)

/** Numbers of ioctls, as include/uapi/asm-generic/ioctl.h makes them. */
const encode = (direction: number, group: string | number, number: number, bytes: number): number =>
  ((direction << 30) | (bytes << 16) | ((typeof group === 'string' ? group.charCodeAt(0) : group) << 8) | number) >>> 0
export const IO = (group: string | number, number: number): number => encode(0, group, number, 0)
export const IOW = (group: string | number, number: number, bytes: number): number => encode(1, group, number, bytes)
export const IOR = (group: string | number, number: number, bytes: number): number => encode(2, group, number, bytes)
export const IOWR = (group: string | number, number: number, bytes: number): number => encode(3, group, number, bytes)
