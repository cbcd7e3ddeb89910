/** Finding 2: what a driver asks for of files costs it, is bounded, and cannot end anybody but itself. */
import test from 'ava'
import { verifyBound } from '../../../pipeline/verify/index.ts'
import { WASI_MODULE } from '../../../pipeline/verify/wasi.ts'
import { op, type Instruction } from '../../kernel/support.ts'
import { assembleLinked } from '../../machine/small/assemble.ts'
import { AREA, smallCore } from '../../machine/small/core.ts'
import { keep, machineOf, say, script, times, witness, word, WORDS } from '../script.ts'

const [VECTOR, OUT, BYTES, PATH, FOUND] = [WORDS, WORDS + 16, WORDS + 64, WORDS + 128, WORDS + 32]
const ROOT = 4
const big = (n: number): Instruction => [0x42, n]
const texts = { [PATH]: 'lib/firmware/f' }

const init = (body: readonly Instruction[]) => [
  { name: 'init', params: 0, result: true, locals: 4, body: [...body, op.value(0)] },
]

test('finding 2: files are read, not made and not opened to be changed', async (t) => {
  const machine = machineOf({ firmware: { f: new Uint8Array([7, 8, 9]) } })
  const other = await witness(machine)
  const open = (flags: number) =>
    say('wasi.path_open', [ROOT, 0, PATH, 14, flags, [big(0x7f)], [big(0x7f)], 0, FOUND], WORDS + 40 + 4 * flags)
  const body = [
    ...open(1),
    ...open(0),
    ...keep(VECTOR, BYTES),
    ...keep(VECTOR + 4, 3),
    ...say('wasi.fd_pread', [word(FOUND), VECTOR, 1, [big(0)], OUT], WORDS + 52),
  ]
  const driver = await machine.load(script('reader', init(body), { texts }))
  const at = (address: number): number => driver.host.words[address >> 2]!
  t.is(at(WORDS + 44), 69, 'creating: a read-only file system')
  t.is(at(WORDS + 40), 0)
  t.is(at(WORDS + 52), 0)
  t.deepEqual([...driver.host.bank.bytes.subarray(BYTES, BYTES + 3)], [7, 8, 9])
  t.is(await other.ask(), undefined)
})

test('finding 2: so many files are open at once and no more', async (t) => {
  const machine = machineOf({ firmware: { f: new Uint8Array(1) } })
  const open = say('wasi.path_open', [ROOT, 0, PATH, 14, 0, [big(2)], [big(0)], 0, FOUND], WORDS + 40)
  const driver = await machine.load(script('opener', init(times(100, 0, open)), { texts }))
  t.is(driver.host.words[(WORDS + 40) >> 2], 33)
  t.is(driver.host.files, 64)
  t.true(machine.board.log.some(({ text }) => /quota of 64 files/.test(text)))
})

for (const name of ['fd_write', 'fd_pwrite', 'proc_exit', 'args_get', 'clock_time_get', 'sock_send'])
  test(`finding 2: there is no ${name}, by which a driver could write, end the host or know the outside`, (t) => {
    const { core, proved, symbols } = smallCore()
    const start = symbols.tableEnd
    const wasm = assembleLinked({
      imports: [{ module: WASI_MODULE, name, params: 1, result: true }],
      functions: [],
      pages: 1,
      entries: start,
    })
    const range = { start: AREA.start, end: AREA.start }
    const claims = { name: 'teller', sha256: '', core: core.sha256, memory: range, table: { start, end: start } }
    const more = { imports: [`wasi.${name}`], capabilities: ['wasi'], functions: new Map(), entries: [] }
    const verdict = verifyBound(wasm, { ...claims, ...more }, proved, [])
    t.false(verdict.ok)
    t.true(!verdict.ok && verdict.problems.some(({ code }) => code === 'unknown-import'))
  })
