/**
 * Thin archives: a symbol index over object files that stay where they are.
 *
 * The linker takes from a library what it needs, and needs an index for that. Written here instead of by llvm-ar because
 * the symbols are known already, and because copying the objects once for each set of them fills the disk. Format: GNU
 * ar's, as LLVM reads it (llvm/lib/Object/Archive.cpp). Pure.
 */

export interface ArchiveMember {
  /** Absolute path of the object. */
  readonly file: string
  readonly bytes: number
  /** Global symbols that it defines. */
  readonly defines: readonly string[]
}

const MAGIC = '!<thin>\n'
const HEADER_BYTES = 60

/** Name, date, uid, gid, mode, size, end mark: text in fields of fixed width. */
function header(name: string, size: number): string {
  const fields: readonly (readonly [string, number])[] = [
    [name, 16],
    ['0', 12],
    ['0', 6],
    ['0', 6],
    ['644', 8],
    [String(size), 10],
  ]
  return `${fields.map(([text, width]) => text.padEnd(width)).join('')}\`\n`
}

const even = (bytes: number): number => bytes + (bytes % 2)

/** The archive's bytes; members in the order given. */
export function thinArchive(members: readonly ArchiveMember[]): Uint8Array {
  const names = members.map(({ file }) => `${file}/\n`)
  const strings = names.join('')
  const symbols = members.flatMap(({ defines }, index) => defines.map((name) => ({ name, index })))
  const symbolNames = symbols.map(({ name }) => `${name}\0`).join('')
  const indexBytes = 4 + 4 * symbols.length + Buffer.byteLength(symbolNames)
  const stringBytes = Buffer.byteLength(strings)
  const start = MAGIC.length + HEADER_BYTES + even(indexBytes) + HEADER_BYTES + even(stringBytes)

  const index = Buffer.alloc(even(indexBytes))
  index.writeUInt32BE(symbols.length, 0)
  symbols.forEach((symbol, i) => index.writeUInt32BE(start + HEADER_BYTES * symbol.index, 4 + 4 * i))
  index.write(symbolNames, 4 + 4 * symbols.length)

  let at = 0
  const headers = members.map(({ bytes }, i) => {
    const text = header(`/${at}`, bytes)
    at += Buffer.byteLength(names[i] as string)
    return text
  })
  return Buffer.concat([
    Buffer.from(MAGIC + header('/', index.length)),
    index,
    Buffer.from(header('//', even(stringBytes)) + strings + (stringBytes % 2 === 1 ? '\n' : '')),
    Buffer.from(headers.join('')),
  ])
}
