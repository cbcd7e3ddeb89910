/**
 * The registry with drivers of a real tree: two that claim one id, drivers that come after their device, devices that come
 * and go.
 */
import test from 'ava'
import { DriverFailure } from '../../pipeline/errors.ts'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { renderIoreg } from '../../cli/commands/ioreg.ts'
import type { IoregDocument, IoregNode } from '../../machine/tree/ioreg.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { parseStep, perform, type Step } from '../../lab/stage.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openTestWorkspace } from './workspace.ts'

const workspace = await openTestWorkspace()
const packs = new Map<string, DriverPackage>()

test.before(async () => {
  const { modules } = await buildModules({
    tree: workspace.tree,
    selectors: ['8139too', '8139cp', 'e1000'],
    toolchain: workspace.toolchain,
  })
  for (const { name, package: directory } of modules) packs.set(name, await readPackage(directory!, name))
})

test.after.always(() => workspace.close())

async function staged(...words: readonly string[]): Promise<IoregDocument> {
  const steps = words.map((word) => parseStep(word) as Step)
  const { document, problems } = await perform(steps, packs, { verify: verifyPackage, symbolizer: symbolizerOf })
  if (problems.length > 0) throw new DriverFailure(problems.join('; '))
  return document
}

const functions = ({ root }: IoregDocument): readonly IoregNode[] => root.children[0]!.children

test.serial('XNU I/O Kit: two drivers claim one id, the better score wins, the runner-up takes over', async (t) => {
  // In both orders: the score decides, not who was first.
  for (const order of [
    ['load:8139cp', 'load:8139too'],
    ['load:8139too', 'load:8139cp'],
  ]) {
    const document = await staged(...order, 'plug:rtl8139', 'plug:rtl8139,revision=0x20')
    const [plain, enhanced] = functions(document)
    t.is(plain!.driver, '8139too')
    t.deepEqual(
      plain!.candidates.map(({ driver }) => driver),
      ['8139too', '8139cp'],
    )
    t.true(plain!.candidates[0]!.score > plain!.candidates[1]!.score)
    t.is(plain!.attempts.length, 1, 'the runner-up is not asked while the winner takes it')
    t.is(enhanced!.driver, '8139cp')
    t.deepEqual(
      enhanced!.attempts.map(({ driver, refusal }) => [driver, refusal]),
      [
        ['8139too', 'probe-failed: -ENODEV'],
        ['8139cp', undefined],
      ],
    )
  }
})

test.serial(
  'a driver that is loaded after its device appeared is bound, as is a device that appears later',
  async (t) => {
    const document = await staged('plug:intel-82540em', 'sleep:5', 'load:e1000', 'sleep:5', 'plug:intel-82540em')
    t.deepEqual(
      functions(document).map(({ driver, state }) => [driver, state]),
      [
        ['e1000', 'bound'],
        ['e1000', 'bound'],
      ],
    )
    const bound = document.events.filter(({ event }) => event === 'bound')
    t.true(bound[0]!.atMs >= 5 && bound[1]!.atMs >= 10)
  },
)

test.serial(
  'a device that is pulled out is given up, its slot is free, and an unloaded driver leaves it to others',
  async (t) => {
    const gone = await staged('plug:rtl8139', 'load:8139too', 'unplug:00:01.0')
    t.is(functions(gone).length, 0)
    const again = await staged('plug:rtl8139', 'load:8139too', 'unplug:00:01.0', 'plug:rtl8139')
    t.is(functions(again)[0]!.name, '0000:00:01.0')
    t.is(functions(again)[0]!.driver, '8139too')
    const left = await staged('plug:rtl8139', 'load:8139too', 'load:8139cp', 'unload:8139too')
    t.is(functions(left)[0]!.state, 'unmatched')
    t.deepEqual(functions(left)[0]!.attempts, [
      { driver: '8139cp', score: functions(left)[0]!.candidates[0]!.score, refusal: 'probe-failed: -ENODEV' },
    ])
  },
)

test.serial('ioreg for a terminal says who drives what, who refused, and who else could', async (t) => {
  const document = await staged('load:8139cp', 'load:8139too', 'plug:rtl8139', 'plug:rtl8139,revision=0x20')
  const text = renderIoreg(document, [], false)
  t.regex(
    text,
    /0000:00:01\.0 {2}pci 10ec:8139 revision 10 class 020000 {2}8139too score \d+\n.*8139cp score 7: could drive it too/,
  )
  t.regex(text, /0000:00:02\.0 .* 8139cp score 7\n.*8139too score \d+: probe-failed: -ENODEV/)
})
