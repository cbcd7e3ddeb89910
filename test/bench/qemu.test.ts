import { spawnSync } from 'node:child_process'
import test from 'ava'
import { imageOf } from '../../bench/qemu/bring.ts'
import { cpio, DIRECTORY, FILE } from '../../bench/qemu/cpio.ts'

test('an initramfs has the records that the kernel reads', (t) => {
  const data = new TextEncoder().encode('hello')
  const bytes = Buffer.from(
    cpio([
      { name: 'bin', mode: DIRECTORY | 0o755 },
      { name: 'bin/x', mode: FILE | 0o755, data },
    ]),
  )
  t.is(bytes.length % 4, 0)
  const names: string[] = []
  const contents: string[] = []
  for (let at = 0; at < bytes.length;) {
    t.is(bytes.toString('latin1', at, at + 6), '070701')
    const field = (n: number): number => Number.parseInt(bytes.toString('latin1', at + 6 + 8 * n, at + 14 + 8 * n), 16)
    const [size, nameBytes] = [field(6), field(11)]
    names.push(bytes.toString('latin1', at + 110, at + 110 + nameBytes - 1))
    const start = Math.ceil((at + 110 + nameBytes) / 4) * 4
    contents.push(bytes.toString('latin1', start, start + size))
    at = Math.ceil((start + size) / 4) * 4
  }
  t.deepEqual(names, ['bin', 'bin/x', 'TRAILER!!!'])
  t.deepEqual(contents, ['', 'hello', ''])
  const listed = spawnSync('cpio', ['-t'], { input: bytes })
  if (listed.error === undefined) t.is(listed.stdout.toString(), 'bin\nbin/x\n')
})

test("the kernel's package is the one that the wanted version of the metapackage brings", (t) => {
  const stanza = (version: string, image: string): string =>
    `Package: linux-image-amd64\nVersion: ${version}\nDepends: ${image} (= ${version})\nSize: 1\n`
  const text = [stanza('6.1.192-2', 'linux-image-6.1.0-56-amd64'), stanza('6.1.176-1', 'linux-image-6.1.0-50-amd64')]
  t.is(imageOf(text.join('\n'), '6.1.176-1'), 'linux-image-6.1.0-50-amd64')
  t.is(imageOf(text.join('\n'), '6.1.192-2'), 'linux-image-6.1.0-56-amd64')
  t.is(imageOf(text.join('\n'), '6.1.1-1'), undefined)
})
