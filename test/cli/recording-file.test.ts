/** Record and replay, the file: what was written is read, what was damaged is refused, what was cut off is known as that. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { createRecording, modulesOf, readRecording, requestOf } from '../../cli/recording-file.ts'
import type { Frame } from '../../lab/recording.ts'
import { encodeSymbols } from '../../pipeline/bind/index.ts'
import { cachePath } from '../../pipeline/cache.ts'
import { UsageError } from '../../pipeline/errors.ts'
import { smallCore } from '../machine/small/core.ts'
import { testPackage } from '../machine/support.ts'

const folder = mkdtempSync(join(tmpdir(), 'drvport-recording-'))
// The store has what is known of the kernel, and not the kernel.
process.env['DRVPORT_CACHE'] = folder
const { core, symbols } = smallCore()
mkdirSync(cachePath('store', 'cores', core.sha256), { recursive: true })
writeFileSync(cachePath('store', 'cores', core.sha256, 'core.symbols'), encodeSymbols(symbols))
test.after.always(() => rmSync(folder, { recursive: true, force: true }))

const pack = testPackage('tiny', [])
const request = {
  seed: 7,
  modules: [{ pack, args: ['tiny.x=1'] }],
  frames: 12,
  firmware: { 'a.bin': Buffer.from('abc') },
}

const FRAMES: readonly Frame[] = [
  {
    kind: 'events',
    from: 0,
    hash: 'aa',
    events: [
      { atNs: 0, kind: 'start', domain: 1, a: 4, b: 0, text: 'tiny' },
      { atNs: 12, kind: 'run', domain: 1, a: 1, b: -3 },
    ],
  },
  { kind: 'input', input: { turn: 4, atNs: 20, kind: 'key', payload: '"ä\n' } },
  { kind: 'events', from: 2, hash: 'bb', events: [{ atNs: 2 ** 40 + 1, kind: 'end', domain: 1, a: 0, b: 0 }] },
  { kind: 'end', count: 3, hash: 'bb', interrupted: false },
]

/** A recording of these frames. */
function record(name: string, embed: boolean, frames = FRAMES): string {
  const path = join(folder, name)
  const write = createRecording(path, request, { packages: { tiny: 'not-in-any-store' }, embed })
  for (const frame of frames) write(frame)
  return path
}

test('what was recorded is read again', (t) => {
  const { header, frames, cut } = readRecording(record('whole', false))
  t.deepEqual(frames, FRAMES)
  t.false(cut)
  t.is(header.seed, 7)
  t.deepEqual(header.settings, { frames: 12 })
  t.deepEqual(
    header.modules.map(({ name, sha256, args }) => ({ name, sha256, args })),
    [{ name: 'tiny', sha256: pack.manifest.wasm.sha256, args: ['tiny.x=1'] }],
  )
})

test('a recording with everything in it needs no store and no firmware folder', async (t) => {
  const again = await requestOf(readRecording(record('embedded', true)))
  t.deepEqual(again.modules[0]!.pack.wasm, pack.wasm)
  t.is(Buffer.from(again.firmware!['a.bin']!).toString(), 'abc')
  t.is(again.frames, 12)
})

test('a package or firmware that is not what was recorded is refused by its hash', async (t) => {
  const recording = readRecording(record('bare', false))
  await t.throwsAsync(modulesOf(recording), { instanceOf: UsageError, message: /needs tiny as it was/ })
  const embedded = readRecording(record('embedded2', true))
  const other = { ...embedded, embedded: embedded.embedded.filter(({ kind }) => kind !== 'firmware') }
  await t.throwsAsync(requestOf(other, { 'a.bin': Buffer.from('abd') }), { message: /firmware a\.bin as it was/ })
  await t.notThrowsAsync(requestOf(other, { 'a.bin': Buffer.from('abc') }))
})

test('a byte changed anywhere is noticed', (t) => {
  const whole = readFileSync(record('changed', true))
  fc.assert(
    fc.property(fc.nat({ max: whole.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const changed = Buffer.from(whole)
      changed[at]! ^= bits
      const path = join(folder, 'changed')
      writeFileSync(path, changed)
      try {
        // Without its last line end, the last line is one that was being written.
        t.true(readRecording(path).cut && at === whole.length - 1, `byte ${at}`)
      } catch (error) {
        t.true(error instanceof UsageError, String(error))
      }
    }),
    { seed: 5, numRuns: 300 },
  )
})

test('a line left out or put elsewhere is noticed', (t) => {
  const lines = readFileSync(record('lines', false), 'utf8').trimEnd().split('\n')
  for (let i = 0; i < lines.length - 1; i++) {
    const path = join(folder, 'lines')
    writeFileSync(path, `${lines.toSpliced(i, 1).join('\n')}\n`)
    t.throws(() => readRecording(path), { instanceOf: UsageError }, `without line ${i + 1}`)
    writeFileSync(path, `${lines.toSpliced(i, 2, lines[i + 1]!, lines[i]!).join('\n')}\n`)
    t.throws(() => readRecording(path), { instanceOf: UsageError }, `line ${i + 1} after the next`)
  }
})

test('cut off at any byte, it is read up to its last whole line', (t) => {
  const whole = readFileSync(record('cut', false))
  const path = join(folder, 'cut')
  for (let length = whole.indexOf(10) + 1; length < whole.length; length += 7) {
    writeFileSync(path, whole.subarray(0, length))
    const { frames, cut } = readRecording(path)
    t.true(cut)
    t.deepEqual(frames, FRAMES.slice(0, frames.length))
  }
})

test('another file is refused with what it is', (t) => {
  const path = join(folder, 'other')
  for (const [text, found] of [
    ['', /no whole line/],
    ['hello\n', /a file of another kind/],
    ['{"schema":"drvport.run/1"}\n', /a file of another kind/],
  ] as const) {
    writeFileSync(path, text)
    const error = t.throws(() => readRecording(path), { instanceOf: UsageError })
    t.regex(error.found ?? '', found)
  }
  t.throws(() => readRecording(join(folder, 'missing')), { instanceOf: UsageError })
})
