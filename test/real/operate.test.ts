/**
 * Rung operate without a modelled device: the tree's own tests case by case, and software drivers used through system calls,
 * as rows of a matrix.
 */
import test, { type ExecutionContext } from 'ava'
import { openClimber } from '../../cli/matrix-machine.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import type { MatrixRow } from '../../pipeline/matrix/types.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

/** What each must say that it did. */
const OPERATE: Readonly<Record<string, RegExp>> = {
  aes_generic: /^aes-generic: a block as the standard has it, 1488 bytes encrypted, and back$/,
  brd: /^ram0: 4096 KiB, 192 KiB written and read back/,
  dummy: /^dummy0: 8 frames sent/,
  gcm: /^gcm_base\(ctr\(aes-generic\),ghash-generic\): 512 bytes sealed and opened; refused with another tag$/,
  'gpio-mockup': /^gpiochip0: 8 of 8 lines driven and read back$/,
  'i2c-stub': /^i2c-0: 8 registers written and read back; lm75 on it reads 25500$/,
  loop: /^loop0: 4096 KiB, 192 KiB written and read back/,
  mac80211_hwsim: /^wlan1: a scan finds the other's network; wlan0 to wlan1: 64 frames, 64 back$/,
  minix: /^minix: files written, and read back after a second mount$/,
  mtdram: /^mtd0: 4096 KiB, 3 blocks erased, written and read back$/,
  'rtc-test': /^rtc0: set, read back 20 s later, without an alarm; rtc1: .* and its alarm rang/,
  'snd-aloop': /^pcmC0D0p: 12288 frames in 0\.\d+ s, and pcmC0D1c hears every frame$/,
  sha3_generic: /^sha3-512-generic: abc as the standard has it, 1500 bytes in one piece and in three; sha3-384/,
  softdog: /^watchdog0: fed for 30 s, and stopped$/,
  uinput: /^event0: 6 keys pressed and released, and read in order$/,
  vgem: /^card0: no display; 64 KiB shared as a dma-buf, and taken back$/,
  vkms: /^card0: 6 flips at 1024x768, 16\.67 ms each$/,
  veth: /^veth-new to veth0: 64 frames, 64 back$/,
}
/** Of a later release, some that take few compiles: it has its own names and numbers for most of what they are asked. */
const LATER: Readonly<Record<string, RegExp>> = {
  aes_generic: OPERATE['aes_generic']!,
  brd: OPERATE['brd']!,
  dummy: OPERATE['dummy']!,
  'gpio-sim': /^gpiochip\d+: \d+ of \d+ lines driven and read back/,
  'i2c-stub': OPERATE['i2c-stub']!,
  loop: OPERATE['loop']!,
  minix: OPERATE['minix']!,
  mtdram: OPERATE['mtdram']!,
  'rtc-test': OPERATE['rtc-test']!,
  softdog: OPERATE['softdog']!,
  uinput: OPERATE['uinput']!,
  veth: OPERATE['veth']!,
}
/** Of clk-gate_test the registers lie in memory; test_ida returns an error, and has the kernel warn, when all is well. */
const TESTS = [
  'clk-gate_test',
  'list-test',
  'rbtree_test',
  'test_bitmap',
  'test_ida',
  'test_user_copy',
  'utf8-selftest',
]
const LATER_TESTS = ['list-test', 'rbtree_test', 'test_bitmap', 'test_ida', 'usercopy_kunit', 'utf8-selftest']

interface Rows {
  readonly rows: readonly MatrixRow[]
  readonly row: (name: string) => MatrixRow
}

async function climb(tree: string, selectors: readonly string[]): Promise<Rows> {
  const workspace = await openWorkspace({ tree, toolchain: 'clang' })
  const climber = openClimber({ seed: 1 })
  try {
    const { rows } = await runMatrix({ ...workspace, selectors, until: 'operate', seed: 1, climber })
    return { rows, row: (name) => rows.find(({ module }) => module === name)! }
  } finally {
    await climber.close()
    await workspace.close()
  }
}

function holdTo(t: ExecutionContext, { row }: Rows, says: Readonly<Record<string, RegExp>>): void {
  for (const [name, said] of Object.entries(says)) {
    t.deepEqual([name, row(name).rung, row(name).reason], [name, 'operate', ''], row(name).detail)
    t.regex(row(name).detail, said, name)
  }
}

function holdTests(t: ExecutionContext, { row }: Rows, names: readonly string[]): void {
  for (const name of names) {
    const { rung, tests, detail } = row(name)
    t.deepEqual([name, rung, tests?.failed, tests?.cases], [name, 'operate', 0, []], detail)
    t.true(tests!.passed > 0, name)
  }
}

test('software drivers do what their class does, and tests of the tree pass', async (t) => {
  const done = await climb(testTreeName, [...Object.keys(OPERATE), ...TESTS, 'crc7', 'libcrc32c'])
  holdTo(t, done, OPERATE)
  holdTests(t, done, TESTS)
  t.deepEqual(done.row('i2c-stub').parameters, ['i2c_stub.chip_addr=0x48'])
  t.is(done.row('libcrc32c').rung, 'init', `it asks for a hash by its name: ${done.row('libcrc32c').detail}`)
  t.deepEqual([done.row('crc7').rung, done.row('crc7').reason], ['init', 'no-device-model'], 'a library offers nothing')
})

test('so they do on a later release, and its tests pass', async (t) => {
  const done = await climb('linux-6.12', [...Object.keys(LATER), ...LATER_TESTS])
  holdTo(t, done, LATER)
  holdTests(t, done, LATER_TESTS)
})
