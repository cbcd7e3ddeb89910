/** Images of a booted kernel between processes: what is written is read, and nothing else is. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { decodeImage, encodeImage, type Image } from '../../../machine/load/image.ts'
import { Content } from '../../../machine/load/memories.ts'
import { imageFiles } from '../../../machine/load/image-files.ts'

const folder = mkdtempSync(join(tmpdir(), 'drvport-images-'))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const task = { id: 3, stack: { base: 4096, top: 8192 }, stackPointer: 8000, argument: 5, begun: true, runs: false }

const SIZE = 1 << 20
const RUNS = [
  { at: 0, bytes: Uint8Array.of(1, 2, 10, 4) },
  { at: 65536, bytes: Uint8Array.of(10, 10) },
]
const image: Image = {
  content: new Content(SIZE, RUNS),
  frozen: { tasks: [task], nextFiber: 4, timerInNs: Infinity },
  clockNs: 123.5,
}

test('an image is read as it was written', (t) => {
  t.deepEqual(decodeImage(encodeImage(image)), image)
  const armed = { ...image, frozen: { ...image.frozen, timerInNs: 7 } }
  t.deepEqual(decodeImage(encodeImage(armed)), armed)
})

test('an image that lacks something, or has too much, is refused', (t) => {
  const bytes = encodeImage(image)
  t.throws(() => decodeImage(bytes.subarray(0, -1)), { message: /are expected/ })
  t.throws(() => decodeImage(Uint8Array.from([...bytes, 0])), { message: /are expected/ })
  const other = new TextEncoder().encode(new TextDecoder().decode(bytes).replace('image/1', 'image/0'))
  t.throws(() => decodeImage(other), { message: /another format/ })
})

test('a file is found by size, and one that was changed counts as absent', async (t) => {
  const at = join(folder, 'one')
  const files = imageFiles(at)
  t.is(await files.read(SIZE), undefined)
  await files.write(image)
  t.deepEqual(await imageFiles(at).read(SIZE), image)
  t.is(await files.read(SIZE * 2), undefined)
  const [name] = readdirSync(at)
  const path = join(at, name!)
  const whole = readFileSync(path)
  for (const offset of [0, 70, whole.length - 1]) {
    const changed = Buffer.from(whole)
    changed[offset]! ^= 1
    writeFileSync(path, changed)
    t.is(await files.read(SIZE), undefined, `byte ${offset}`)
  }
})

test('of other machines’ images the newest are kept', async (t) => {
  const at = join(folder, 'many')
  const files = imageFiles(at)
  await files.write({ ...image, content: new Content(2 << 20, RUNS) })
  for (let n = 0; n < 9; n++) writeFileSync(join(at, `${SIZE}-other${n}`), '')
  await files.write(image)
  t.deepEqual(await files.read(SIZE), image)
  t.is(readdirSync(at).filter((name) => name.startsWith(`${SIZE}-`)).length, 4)
  t.deepEqual((await files.read(2 << 20))?.content.size, 2 << 20)
})

test('where nothing can be written, nothing is kept and nothing fails', async (t) => {
  const file = join(folder, 'no-folder')
  writeFileSync(file, '')
  const files = imageFiles(join(file, 'images'))
  await t.notThrowsAsync(files.write(image))
  t.is(await files.read(SIZE), undefined)
})
