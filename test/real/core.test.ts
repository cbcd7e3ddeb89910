/**
 * The tree's own kernel under a driver: linked once, booted once, modules bound to it and loaded by its own loader; both NICs
 * through the whole ladder; system calls into a domain; the image that domains begin from.
 */
import test from 'ava'
import { appendFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { perform } from '../../lab/commands.ts'
import { modelNamed, Worlds } from '../../lab/classes.ts'
import { boot, runMachine } from '../../lab/run.ts'
import { createMachine } from '../../machine/machine.ts'
import { Failure } from '../../kernel/fault.ts'
import type { CoreProgram } from '../../machine/load/core.ts'
import { bootImage, imageOf } from '../../machine/load/image.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readAuthority } from '../../pipeline/build/authority.ts'
import type { BuildDocument } from '../../pipeline/build/document.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { analyzeModules } from '../../pipeline/source/analyze.ts'
import { openWorkspace, type Workspace } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

let workspace: Workspace
let document: BuildDocument
const packs = new Map<string, DriverPackage>()

test.before(async () => {
  workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang' })
  document = await buildModules({ ...workspace, selectors: ['8139too', 'e1000'] })
  for (const { name, package: directory, detail } of document.modules) {
    if (directory === undefined) throw new Error(`${name}: ${detail}`)
    packs.set(name, await readPackage(directory, name))
  }
})
test.after.always(() => workspace.close())

const pack = (name: string): DriverPackage => packs.get(name)!
const options = { seed: 3, verify: verifyPackage, symbolizer: symbolizerOf }

test.serial(
  'a driver is what Linux makes of it: a small module with what it stands on, and the kernel is not in it',
  (t) => {
    t.deepEqual(pack('8139too').manifest.modules, ['mii', '8139too'])
    t.true(pack('8139too').wasm.length < 64 << 10, `${pack('8139too').wasm.length} bytes`)
    t.deepEqual(pack('8139too').on!.core.sha256, pack('e1000').on!.core.sha256)
    t.true(document.modules.every(({ changedBytes, unresolved }) => changedBytes === 0 && unresolved.length === 0))
  },
)

test.serial('what a driver may touch is what it names: analyze says where, the manifest asks for it', async (t) => {
  const { tree } = workspace
  const authority = await readAuthority()
  for (const name of ['8139too', 'e1000']) {
    const [said] = await analyzeModules(tree, await tree.select(name), { authority })
    const { capabilities } = pack(name).manifest
    t.deepEqual(capabilities, [...new Set(['call', 'irq', 'log', 'sched', 'time', ...said!.capabilities])].toSorted())
    for (const { asked } of said!.authority) t.true(asked.some(({ places }) => places.length > 0))
  }
})

test.serial('a call of a group that was not granted ends the driver by name', async (t) => {
  const { manifest } = pack('e1000')
  const capabilities = manifest.capabilities.filter((group) => group !== 'dma')
  const machine = createMachine(options)
  const model = modelNamed('intel-82540em')!
  new Worlds(machine, {}).with(model).plug(model)
  await machine.load({ ...pack('e1000'), manifest: { ...manifest, capabilities } })
  await machine.sleep(0)
  t.like(machine.faults[0], { kind: 'no-capability', message: 'dma.set_mask: the domain was not granted dma' })
  t.regex(machine.faults[0]!.frames.map(({ function: name }) => name).join(' '), /dma_set_mask.*e1000_probe/)
})

test.serial('both NICs climb the whole ladder, twice alike', async (t) => {
  const request = {
    ...options,
    modules: ['8139too', 'e1000'].map((name) => ({ pack: pack(name), args: [] })),
    frames: 1000,
    inject: 2,
  }
  const [first, second] = [await runMachine(request), await runMachine(request)]
  t.deepEqual(
    first.checks.filter(({ ok }) => !ok),
    [],
  )
  t.deepEqual(
    first.modules.map(({ rung }) => rung),
    ['contain', 'contain'],
  )
  t.is(second.machine.eventHash, first.machine.eventHash)
})

test.serial('a fault is named by its line in the driver, and the kernel below it', async (t) => {
  const report = await runMachine({
    ...options,
    modules: [{ pack: pack('e1000'), args: [] }],
    frames: 500,
    until: 'recover' as const,
  })
  const [fault] = report.modules[0]!.faults
  t.is(fault?.kind, 'no-capability')
  t.true(
    fault!.frames.some(({ file }) => file.includes('e1000')),
    'the driver',
  )
  t.true(
    fault!.frames.some(({ file }) => file === 'kernel/softirq.c' || file === 'kernel/irq/handle.c'),
    'the kernel',
  )
})

test.serial('system calls reach the kernel under a driver: sysfs, procfs, parameters, what is not there', async (t) => {
  const { climbers } = await boot({ ...options, modules: [{ pack: pack('e1000'), args: ['e1000.copybreak=128'] }] })
  const driver = climbers[0]!.driver!
  const say = async (command: string): Promise<string> => (await perform(driver, command)).output
  t.regex(await say('ls /sys/bus/pci/devices'), /^0000:00:0\d\.0@\n$/)
  t.regex(await say('cat /proc/modules'), /^e1000 \d+ \d+ - Live /)
  t.is(await say('cat /sys/module/e1000/parameters/copybreak'), '128\n')
  t.is((await perform(driver, 'write /sys/module/e1000/parameters/copybreak 64')).ok, true)
  t.is(await say('cat /sys/module/e1000/parameters/copybreak'), '64\n')
  t.regex(await say('stat /dev/console'), /device 5:1/)
  t.is(await say('node /sys/class/mem/null'), '/dev/null\n')
  t.is(await say('cat /dev/null'), '')
  t.is(await say('cat /nowhere'), 'open /nowhere: -ENOENT')
})

test.serial('the image that domains begin from is a boot: two boots are the same, byte for byte', async (t) => {
  const { core } = pack('e1000').on!
  const bytes = 64 << 20
  const [kept, again] = [await imageOf(core, bytes), await bootImage(core, bytes)]
  t.deepEqual(
    again.content.runs.map(({ at, bytes: run }) => [at, run.length]),
    kept.content.runs.map(({ at, bytes: run }) => [at, run.length]),
  )
  t.true(again.content.runs.every(({ bytes: run }, i) => Buffer.compare(run, kept.content.runs[i]!.bytes) === 0))
  t.deepEqual(again.frozen, kept.frozen)
  // And so is what another process finds on the disk, whichever of the two was written there.
  const found = await core.images!.read(bytes)
  t.deepEqual({ ...found, runs: undefined }, { ...again, runs: undefined })
  t.true(again.content.runs.every(({ bytes: run }, i) => Buffer.compare(run, found!.content.runs[i]!.bytes) === 0))
})

test.serial(
  'domains that begin from one image share no random numbers, and a seed gives each its own again',
  async (t) => {
    const draw = async (seed: number): Promise<string[]> => {
      const modules = ['8139too', 'e1000'].map((name) => ({ pack: pack(name), args: [] }))
      const { climbers } = await boot({ ...options, seed, modules })
      const uuids: string[] = []
      for (const { driver } of climbers)
        for (let i = 0; i < 2; i++) uuids.push((await perform(driver!, 'cat /proc/sys/kernel/random/uuid')).output)
      return uuids
    }
    const [one, again, other] = [await draw(1), await draw(1), await draw(2)]
    for (const uuid of one) t.regex(uuid, /^[0-9a-f-]{36}\n$/)
    t.is(new Set([...one, ...other]).size, 8)
    t.deepEqual(again, one)
  },
)

test.serial('a domain that moves into what another left finds what a new one would', async (t) => {
  const open = async () => {
    const { program } = await createMachine(options).open(pack('8139too'))
    const { memory, domain } = program as CoreProgram
    const digest = createHash('sha256').update(new Uint8Array(memory.buffer)).digest('hex')
    return { memory, digest, domain }
  }
  const first = await open()
  // Another is there meanwhile, so that what it leaves is not what the first had.
  const [one] = (await boot({ ...options, modules: [{ pack: pack('8139too') }] })).climbers
  t.is(one!.rung, 'probe')
  const used = (one!.driver!.program as CoreProgram).memory
  t.not(used, first.memory)
  one!.driver!.domain.fail(new Failure('bug', 'for this test'))
  // What unwinds goes first.
  await new Promise((resolve) => setImmediate(resolve))
  const next = await open()
  t.is(next.memory, used)
  t.is(next.digest, first.digest)
  for (const { domain } of [first, next]) domain.end()
})

test.serial('a package whose module was changed by hand is refused', async (t) => {
  const { package: directory } = document.modules.find(({ name }) => name === 'e1000')!
  const work = await mkdtemp(join(tmpdir(), 'drvport-core-'))
  t.teardown(() => rm(work, { recursive: true }))
  const at = join(work, 'packages', 'x')
  await cp(directory!, at, { recursive: true })
  await cp(join(directory!, '..', '..', 'cores'), join(work, 'cores'), { recursive: true })
  await appendFile(join(at, 'e1000.wasm'), '\0')
  const changed = await readPackage(at, 'e1000')
  await t.throwsAsync(verifyPackage(changed), { message: /e1000\.wasm is not what was proved/ })
})
