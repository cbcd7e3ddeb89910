/**
 * MODULE_DEVICE_TABLE and the tables it names, evaluated as the compiler would: macros from the file, its headers and
 * the tree's headers, designated and positional members, constant expressions.
 * Member order: include/linux/mod_devicetable.h.
 */
import { ANY_ID, type DeviceId } from '../package.ts'
import { evaluate } from './constant.ts'
import { expand, type MacroLookup } from './macros.ts'
import { closing, splitArguments, stringValue, textOf, tokenize, type Token } from './tokens.ts'
import type { TableEntry } from './types.ts'

/** Members of each bus's id structure, in order, for entries without designators. */
const MEMBERS: Record<string, readonly string[]> = {
  pci: ['vendor', 'device', 'subvendor', 'subdevice', 'class', 'class_mask', 'driver_data', 'override_only'],
  usb: ['match_flags', 'idVendor', 'idProduct', 'bcdDevice_lo', 'bcdDevice_hi'],
  of: ['name', 'type', 'compatible', 'data'],
  i2c: ['name', 'driver_data'],
  spi: ['name', 'driver_data'],
  platform: ['name', 'driver_data'],
  acpi: ['id', 'driver_data', 'cls', 'cls_msk'],
  pnp: ['id', 'driver_data'],
  virtio: ['device', 'vendor'],
  hid: ['bus', 'group', 'vendor', 'product', 'driver_data'],
  pcmcia: ['match_flags', 'manf_id', 'card_id', 'func_id'],
  serio: ['type', 'extra', 'id', 'proto'],
  mdio: ['phy_id', 'phy_id_mask'],
  parisc: ['hw_type', 'hversion_rev', 'hversion', 'sversion'],
  eisa: ['sig', 'driver_data'],
}

/** Member that names the device on buses whose ids are text. */
const NAME_MEMBER: Record<string, string> = {
  of: 'compatible',
  i2c: 'name',
  spi: 'name',
  platform: 'name',
  acpi: 'id',
  pnp: 'id',
}

/** Headers that define each bus's id macros. */
export const BUS_HEADERS: Record<string, readonly string[]> = {
  pci: ['include/linux/pci.h', 'include/linux/pci_ids.h', 'include/linux/mod_devicetable.h'],
  usb: ['include/linux/usb.h', 'include/uapi/linux/usb/ch9.h', 'include/linux/mod_devicetable.h'],
  acpi: ['include/linux/acpi.h'],
  hid: ['include/linux/hid.h', 'include/linux/mod_devicetable.h'],
  pcmcia: ['include/pcmcia/device_id.h'],
  virtio: ['include/uapi/linux/virtio_ids.h', 'include/linux/mod_devicetable.h'],
}

/** Entries of a table's initialiser `{ ... }`, ending before the empty entry that closes it. */
export function readTable(
  bus: string,
  initialiser: string,
  lookup: MacroLookup,
  place: (offset: number) => { file: string; line: number },
): TableEntry[] {
  const tokens = tokenize(initialiser)
  const entries: TableEntry[] = []
  for (const raw of splitArguments(tokens.slice(1, closing(tokens, 0)))) {
    const at = raw[0]?.at ?? 0
    // One argument may expand to several entries.
    for (const part of splitArguments(expand(raw, lookup))) {
      const fields = readFields(bus, part)
      if (isEnd(fields)) continue
      const id = deviceId(bus, fields)
      entries.push({ ...place(at), fields, ...(id && { id }) })
    }
  }
  return entries
}

type Fields = Record<string, number | string>

function isEnd(fields: Fields): boolean {
  return Object.values(fields).every((value) => value === 0 || value === '')
}

function readFields(bus: string, entry: readonly Token[]): Fields {
  let tokens = entry
  // `[board] = { ... }`
  if (tokens[0]?.text === '[') tokens = tokens.slice(closing(tokens, 0) + 2)
  if (tokens[0]?.text === '{') tokens = tokens.slice(1, closing(tokens, 0))
  const members = MEMBERS[bus] ?? []
  const fields: Fields = {}
  let position = 0
  for (const part of splitArguments(tokens)) {
    const first = part[0]
    if (first === undefined) continue
    const designated = first.text === '.' && part[2]?.text === '='
    const name = designated ? (part[1]?.text ?? '') : (members[position] ?? `field${position}`)
    if (designated) {
      const index = members.indexOf(name)
      if (index >= 0) position = index
    }
    position++
    fields[name] = valueOf(designated ? part.slice(3) : part)
  }
  return fields
}

/** A number as an unsigned 32-bit word (ids are), a string, or the text as it stands. */
export function valueOf(tokens: readonly Token[]): number | string {
  if (tokens.length > 0 && tokens.every((t) => t.kind === 'string'))
    return tokens.map((t) => stringValue(t.text)).join('')
  const value = evaluate(tokens)
  return value === undefined ? textOf(tokens) : Number(BigInt.asUintN(32, value))
}

function deviceId(bus: string, fields: Fields): DeviceId | undefined {
  const number = (name: string, otherwise: number): number | undefined => {
    const value = fields[name] ?? otherwise
    return typeof value === 'number' ? value : undefined
  }
  if (bus === 'pci') {
    const vendor = number('vendor', 0)
    const device = number('device', 0)
    const subvendor = number('subvendor', 0)
    const subdevice = number('subdevice', 0)
    const deviceClass = number('class', 0)
    const classMask = number('class_mask', 0)
    if (vendor === undefined || device === undefined || subvendor === undefined || subdevice === undefined)
      return undefined
    if (deviceClass === undefined || classMask === undefined) return undefined
    return { bus, vendor, device, subvendor, subdevice, class: deviceClass, classMask }
  }
  if (bus === 'usb') {
    const vendor = number('idVendor', ANY_ID)
    const product = number('idProduct', ANY_ID)
    return vendor === undefined || product === undefined ? undefined : { bus, vendor, product }
  }
  const name = fields[NAME_MEMBER[bus] ?? '']
  return typeof name === 'string' && name !== '' ? { bus, name } : undefined
}
