import test from 'ava'
import fc from 'fast-check'
import { thinArchive, type ArchiveMember } from '../../../pipeline/build/archive.ts'

const word = fc.stringMatching(/^[a-z_]{1,12}$/)
const members: fc.Arbitrary<ArchiveMember[]> = fc.array(
  fc.record({
    file: word.map((name) => `/cache/objects/${name}.o`),
    bytes: fc.nat(1e6),
    defines: fc.uniqueArray(word, { maxLength: 5 }),
  }),
  { maxLength: 8 },
)

/** The archive as a linker reads it: each symbol of the index with the file and size of its member. */
function read(archive: Uint8Array): { symbol: string; file: string; bytes: number }[] {
  const bytes = Buffer.from(archive)
  const field = (at: number, from: number, length: number) =>
    bytes.toString('latin1', at + from, at + from + length).trim()
  const size = (at: number) => Number(field(at, 48, 10))
  const index = 8
  const strings = index + 60 + size(index)
  const count = bytes.readUInt32BE(index + 60)
  const names = bytes.toString('latin1', index + 64 + 4 * count, strings).split('\0')
  return Array.from({ length: count }, (_, i) => {
    const member = bytes.readUInt32BE(index + 64 + 4 * i)
    const name = strings + 60 + Number(field(member, 0, 16).slice(1))
    return { symbol: names[i]!, file: bytes.toString('latin1', name, bytes.indexOf('/\n', name)), bytes: size(member) }
  })
}

test('every symbol of the index leads to the file that defines it', (t) => {
  const property = fc.property(members, (list) => {
    const expected = list.flatMap(({ file, bytes, defines }) => defines.map((symbol) => ({ symbol, file, bytes })))
    t.deepEqual(read(thinArchive(list)), expected)
  })
  t.notThrows(() => fc.assert(property, { numRuns: 50 }))
})

test('parts begin at even offsets, as readers of the format demand', (t) => {
  const archive = thinArchive([{ file: '/a.o', bytes: 3, defines: ['odd'] }])
  t.is(Buffer.from(archive).toString('latin1', 0, 8), '!<thin>\n')
  t.is(archive.length % 2, 0)
})
