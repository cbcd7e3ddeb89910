/** Rows of the table of mechanisms (docs/microkernel.md) that show only on real drivers, compiled from the tree. */
import test from 'ava'
import { verifyPackage } from '../../cli/machine.ts'
import { uncounted } from '../../bench/uncounted.ts'
import * as checks from '../../lab/net/checks.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { boot } from '../../lab/run.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import { Failure } from '../../kernel/fault.ts'
import { CALLS } from '../../linux-api/generated/abi.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { proverOf } from '../hostile/proof.ts'
import { openTestWorkspace } from './workspace.ts'
import { interfaceOf, nicOf, peerOf } from '../../lab/net/index.ts'

const { tree, toolchain } = await openTestWorkspace()
const { modules } = await buildModules({ tree, selectors: ['8139too', 'e1000'], toolchain })
const packs = await Promise.all(modules.map((module) => readPackage(module.package!, module.name)))
const pack = (name: string): DriverPackage => packs.find(({ manifest }) => manifest.name === name)!

/** What a bound module imports beside calls of the machine: its memory and table, functions of its core and of other modules. */
const SHARED = /^(env|core|module:.*)$/

test('WASM: what a NIC driver imports is in its manifest, and is hardware, time, log and network, nothing else', (t) => {
  for (const name of ['8139too', 'e1000']) {
    const { wasm, manifest } = pack(name)
    const imports = WebAssembly.Module.imports(new WebAssembly.Module(wasm)).filter(
      ({ module }) => !SHARED.test(module),
    )
    const groups = [...new Set(imports.map(({ module }) => module))]
    t.true(groups.length > 0)
    t.deepEqual(
      groups.filter((group) => !manifest.capabilities.includes(group)),
      [],
      name,
    )
    const allowed = ['log', 'mmio', 'pio', 'pci', 'dma', 'irq', 'time', 'sched', 'net']
    t.deepEqual(
      groups.filter((group) => !allowed.includes(group)),
      [],
      name,
    )
    for (const { module, name: call } of imports)
      t.true(call in CALLS[module as keyof typeof CALLS], `${module}.${call}`)
  }
})

test('eBPF: a module that could run without end is refused, with function and offset', async (t) => {
  const { pack: endless, points } = uncounted(pack('e1000'))
  t.true(points > 100)
  await t.notThrowsAsync(verifyPackage(pack('e1000')))
  await t.throwsAsync(verifyPackage(endless), { message: /is not what was proved/ })
  const { prove } = await proverOf(pack('e1000'))
  t.true(prove(pack('e1000').wasm).ok)
  const verdict = prove(endless.wasm)
  const problems = verdict.ok ? [] : verdict.problems
  t.true(problems.length > 0)
  t.true(
    problems.every(({ where }) => /0x[0-9a-f]+/.test(where)),
    JSON.stringify(problems[0]),
  )
})

test('MINIX 3, VFIO: a driver killed under traffic leaves nothing its device can reach, and comes back as it was', async (t) => {
  const session = await boot({ seed: 1, modules: [{ pack: pack('8139too') }, { pack: pack('e1000') }] })
  const { machine, climbers } = session
  const peer = peerOf(session)
  const [one, other] = climbers as [(typeof climbers)[number], (typeof climbers)[number]]
  for (const climber of climbers) t.true((await checks.linkUp(machine, interfaceOf(climber))).ok)
  const net = interfaceOf(one)
  const { fn } = nicOf(one)
  const before = { mtu: net.mtu, generation: net.generation, other: interfaceOf(other).generation }
  const running = startTraffic(machine.board.kernel, peer, net, 1, { frames: 100_000 })
  await machine.run(() => running.received > 200, 10e9)
  t.true(fn.dma.windows > 0)
  const { domain } = machine.driver('8139too')!
  domain.fail(new Failure('bug', 'killed'))
  t.is(fn.dma.windows, 0, 'no window is open')
  t.deepEqual(
    Object.values(domain.remains()).filter((count) => count !== 0),
    [],
    'nothing is left',
  )
  const faults = machine.board.dmaFaults.length
  t.false(fn.dma.port.write(0x1000, new Uint8Array(4), 0, 4), 'the device reaches nothing any more')
  t.is(machine.board.dmaFaults.length, faults + 1)
  t.is(machine.board.dmaFaults.at(-1)!.device, fn.name, 'and it is said who tried')
  running.stop()
  await machine.run(() => net.generation > before.generation && net.carrier, 60e9)
  t.true((await checks.traffic(machine, net, peer, { frames: 100 })).ok, 'traffic again')
  t.is(net.mtu, before.mtu)
  t.is(interfaceOf(other).generation, before.other, 'the other driver noticed nothing')
})
