import test from 'ava'
import { createPcap } from '../../../hw/net/pcap.ts'

/** Hex with blanks between the fields, without them. */
const hex = (text: string): string => text.replaceAll(' ', '')

const capture = (options = {}) => {
  const chunks: Uint8Array[] = []
  return { chunks, pcap: createPcap((bytes) => chunks.push(bytes.slice()), options), all: () => Buffer.concat(chunks) }
}

test('golden: header and two records with nanosecond times', (t) => {
  const { pcap, all } = capture()
  pcap.frame(Uint8Array.of(0xff, 0xfe, 0xfd), 3, 5)
  pcap.frame(Uint8Array.of(1, 2, 3, 4), 2, 3_000_000_007)
  pcap.flush()
  t.is(
    all().toString('hex'),
    [
      hex('4d3cb2a1 0200 0400 00000000 00000000 ffff0000 01000000'),
      hex('00000000 05000000 03000000 03000000 fffefd'),
      hex('03000000 07000000 02000000 02000000 0102'),
    ].join(''),
  )
  t.is(pcap.frames, 2)
})

test('a frame beyond the snap length is cut and says so', (t) => {
  const { pcap, all } = capture({ snapBytes: 4 })
  pcap.frame(new Uint8Array(10).fill(1), 10, 0)
  pcap.flush()
  t.is(all().subarray(32).toString('hex'), hex('04000000 0a000000 01010101'))
})

test('it streams: the buffer is handed over when full, and nothing is lost', (t) => {
  const { pcap, chunks, all } = capture({ snapBytes: 200, bufferBytes: 256 })
  for (let i = 0; i < 100; i++) pcap.frame(new Uint8Array(60).fill(i), 60, i)
  pcap.flush()
  pcap.flush()
  t.true(chunks.length > 10)
  t.is(all().length, 24 + 100 * 76)
  t.is(all().at(-1), 99)
})
