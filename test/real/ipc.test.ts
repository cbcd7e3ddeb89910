/** Two drivers compiled from C, in domains of their own, that talk: drivers-src/ipc. */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import type { Ring } from '../../kernel/ring.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { allowanceFor } from '../../pipeline/verify/index.ts'
import { openTestWorkspace } from './workspace.ts'

const workspace = await openTestWorkspace()
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  const { tree, toolchain } = workspace
  built ??= buildModules({ tree, selectors: [join(packageRoot, 'drivers-src/ipc')], toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${JSON.stringify(module, null, 1)}`)
  return readPackage(module.package, name)
}

const LINKS = [
  { client: 'ipc_client', name: 'count', server: 'ipc_server', service: 'counter' },
  { client: 'ipc_client', name: 'plus', server: 'ipc_server', service: 'adder' },
  { client: 'ipc_client', name: 'store', server: 'ipc_server', service: 'store' },
]

function linked(): Machine {
  const layered = allowanceFor(['layered'])
  const verify = (one: DriverPackage): Promise<void> => verifyPackage(one, layered)
  const machine = createMachine({ verify, symbolizer: symbolizerOf, layered: true })
  for (const link of LINKS) machine.board.exchange.link(link)
  return machine
}

const said = (machine: Machine, name: string): string[] =>
  machine.board.log.filter(({ domain }) => domain === name).map(({ text }) => text.trim())

test.serial('drivers in separate domains talk through endpoints, with a thread and without', async (t) => {
  const machine = linked()
  await machine.load(await pack('ipc_server'))
  await machine.load(await pack('ipc_client'))
  const lines = said(machine, 'ipc_client').filter((text) => /\b(ok|FAILED)\b/.test(text))
  t.deepEqual(
    lines.map((text) => text.replace(/^ipc_client: /, '')),
    ['ok conversation', 'ok passive', 'ok memory', 'ok rings'],
  )
  t.deepEqual(machine.faults, [])
  for (const name of ['ipc_client', 'ipc_server']) {
    const left = await machine.unload(name)
    t.deepEqual([name, left.exit, left.capabilities], [name, 0, 0])
  }
})

test.serial('DriverKit: a driver that wants to talk is refused where policy does not let it', async (t) => {
  const machine = createMachine({ verify: (one) => verifyPackage(one, allowanceFor(['pci', 'net'])) })
  await t.throwsAsync(async () => machine.load(await pack('ipc_client')), { message: /not (cap|ipc|mem|ring)/ })
})

/** Crossings a packet, with packets that come `burst` at a time. */
async function crossings(burst: number): Promise<number> {
  const machine = linked()
  await machine.load(await pack('ipc_server'))
  const args = [`ipc_client.burst=${burst}`, 'ipc_client.keep_ring=1']
  const client = await machine.load(await pack('ipc_client'), args)
  const ok = said(machine, 'ipc_client').some((text) => text.endsWith('ok rings'))
  const [ring] = client.domain.capabilities.ofType('ring')
  if (!ok || ring === undefined) throw new Error(said(machine, 'ipc_client').join('\n'))
  const { counts } = ring.object as Ring
  return counts.crossings / counts.slots
}

test.serial('virtio, io_uring: crossings a packet fall below 1 as load rises', async (t) => {
  const loads = [1, 4, 16, 64]
  const measured: number[] = []
  for (const load of loads) measured.push(await crossings(load))
  t.log(loads.map((load, i) => `${load} packets at a time: ${measured[i]!.toFixed(3)} crossings a packet`).join('; '))
  t.true(measured[0]! > 1, 'one at a time each is told of')
  for (let i = 1; i < measured.length; i++) t.true(measured[i]! < measured[i - 1]!, `${measured}`)
  t.true(measured[2]! < 0.5 && measured[3]! < 0.1, `${measured}`)
})
