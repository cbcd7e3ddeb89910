/** Finding 2: what a driver says through WASI costs it, is bounded, and cannot end anybody but itself. */
import test from 'ava'
import { DriverEnded } from '../../../machine/driver.ts'
import { op, type Instruction } from '../../kernel/support.ts'
import { forever, keep, machineOf, say, script, times, witness, word, WORDS } from '../script.ts'

const [VECTOR, OUT, BYTES, PATH, FOUND] = [WORDS, WORDS + 16, WORDS + 64, WORDS + 128, WORDS + 32]
const ROOT = 4
const big = (n: number): Instruction => [0x42, n]

/** fd_write of `length` bytes at BYTES to standard output. */
const print = (length: number): Instruction[] => [
  ...keep(VECTOR, BYTES),
  ...keep(VECTOR + 4, length),
  ...say('wasi.fd_write', [1, VECTOR, 1, OUT]),
]

const init = (body: readonly Instruction[]) => [
  { name: 'init', params: 0, result: true, locals: 4, body: [...body, op.value(0)] },
]

test('finding 2: a byte that is no UTF-8 on standard output is a character like any other', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const pack = script('binary', init(print(3)), { texts: { [BYTES]: new Uint8Array([0x61, 0xff, 0x0a]) } })
  await machine.load(pack)
  t.true(machine.board.log.some(({ text, domain }) => domain === 'binary' && text === 'a\uFFFD'))
  t.is(await other.ask(), undefined)
})

test('finding 2: writing without end is work that is counted, and text that has a quota', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const pack = script('endless', init(forever(print(64))), { texts: { [BYTES]: 'x'.repeat(63) + '\n' } })
  const before = machine.board.kernel.log.count
  const error = await t.throwsAsync(machine.load(pack), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'endless-loop')
  // A thousand units a call, of the 200 million that one entry has.
  t.true(machine.board.kernel.log.count - before < 200_000)
  const kept = machine.board.log
    .filter(({ domain }) => domain === 'endless')
    .reduce((sum, { text }) => sum + text.length, 0)
  t.true(kept <= (4 << 20) + 200)
  t.is(await other.ask(), undefined)
})

test('finding 2: files are read, not made, not written and not grown', async (t) => {
  const machine = machineOf({ firmware: { f: new Uint8Array([7, 8, 9]) } })
  const open = (flags: number) =>
    say('wasi.path_open', [ROOT, 0, PATH, 14, flags, [big(0x7f)], [big(0x7f)], 0, FOUND], WORDS + 40 + 4 * flags)
  const body = [
    ...open(1),
    ...open(0),
    ...keep(VECTOR, BYTES),
    ...keep(VECTOR + 4, 3),
    ...say('wasi.fd_write', [word(FOUND), VECTOR, 1, OUT], WORDS + 48),
    ...say('wasi.fd_read', [word(FOUND), VECTOR, 1, OUT], WORDS + 52),
  ]
  const driver = await machine.load(script('writer', init(body), { texts: { [PATH]: 'lib/firmware/f' } }))
  const at = (address: number): number => driver.host.words[address >> 2]!
  t.is(at(WORDS + 44), 69, 'creating: a read-only file system')
  t.is(at(WORDS + 40), 0)
  t.is(at(WORDS + 48), 69, 'writing')
  t.is(at(WORDS + 52), 0)
  t.deepEqual([...driver.host.bank.bytes.subarray(BYTES, BYTES + 3)], [7, 8, 9])
})

test('finding 2: so many files are open at once and no more', async (t) => {
  const machine = machineOf({ firmware: { f: new Uint8Array(1) } })
  const open = say('wasi.path_open', [ROOT, 0, PATH, 14, 0, [big(2)], [big(0)], 0, FOUND], WORDS + 40)
  const driver = await machine.load(
    script('opener', init(times(100, 0, open)), { texts: { [PATH]: 'lib/firmware/f' } }),
  )
  t.is(driver.host.words[(WORDS + 40) >> 2], 33)
  t.is(driver.host.files, 64)
  t.true(machine.board.log.some(({ text }) => /quota of 64 files/.test(text)))
})

test('finding 2: an exit is the end of the driver that says it, by name', async (t) => {
  const machine = machineOf()
  const other = await witness(machine)
  const error = await t.throwsAsync(machine.load(script('leaver', init(say('wasi.proc_exit', [3])))), {
    instanceOf: DriverEnded,
  })
  t.is(error.fault?.kind, 'panic')
  t.is(await other.ask(), undefined)
})
