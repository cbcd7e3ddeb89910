/**
 * `drvport demo`: the main job on real drivers, in one go. Converts two network drivers from a kernel tree, boots a
 * machine with both on one switch, passes frames, runs a driver's own self-test, breaks a driver and recovers it.
 */
import type { BuildDocument } from '../../pipeline/build/index.ts'
import { DriverFailure } from '../../pipeline/errors.ts'
import { breakUnderTraffic, type Breakage } from '../../lab/net/breakage.ts'
import { boot, type Session } from '../../lab/run.ts'
import * as checks from '../../lab/net/checks.ts'
import type { Check } from '../../lab/check.ts'
import { bytes, count, duration, paint, table } from '../output.ts'
import type { Command, Context } from '../context.ts'
import { symbolizerOf, verifyPackage } from '../machine.ts'
import { workspaceOf } from '../workspace.ts'
import { buildAll, modulesFor, renderFault } from './run.ts'
import { interfaceOf, nicOf, peerOf } from '../../lab/net/index.ts'

/** The demo's drivers: two generations of Ethernet, ports and memory registers, copies and descriptor rings. */
const MODULES = ['8139too', 'e1000'] as const
const FRAMES = 20_000

interface DemoDocument {
  readonly schema: 'drvport.demo/1'
  readonly seed: number
  readonly tree: BuildDocument['tree']
  readonly toolchain: BuildDocument['toolchain']
  readonly modules: readonly {
    readonly name: string
    readonly sourceFiles: number
    readonly changedBytes: number
    readonly wasmBytes: number
    readonly sha256: string
    readonly imports: number
    readonly capabilities: readonly string[]
    readonly device: string
    readonly loadMs: number
    readonly probeMs: number
  }[]
  readonly checks: readonly Check[]
  readonly traffic: { readonly frames: number; readonly wallMs: number }
  readonly breakage: Breakage
  readonly time: {
    readonly prepareMs: number
    readonly buildMs: number
    readonly bootMs: number
    readonly totalMs: number
    readonly virtualMs: number
  }
  readonly ok: boolean
}

/** Frames both ways, the self-test, the break and the recovery. */
async function show(session: Session): Promise<{ traffic: DemoDocument['traffic']; breakage: Breakage }> {
  const { machine } = session
  const [old, young] = session.climbers
  for (const one of session.climbers) await session.check(checks.linkUp(machine, interfaceOf(one)))
  const started = performance.now()
  await session.check(checks.traffic(machine, interfaceOf(old!), interfaceOf(young!), { frames: FRAMES }))
  const wallMs = performance.now() - started
  const bench = { machine, nic: nicOf(young!), net: interfaceOf(young!), peer: peerOf(session) }
  await session.check(checks.selfTest(bench))
  return {
    traffic: { frames: 2 * FRAMES, wallMs },
    breakage: await breakUnderTraffic(session, young!, interfaceOf(old!)),
  }
}

function modulesOf(document: BuildDocument, session: Session): DemoDocument['modules'] {
  return document.modules.map((module) => {
    const climber = session.climbers.find(({ name }) => name === module.name)
    return {
      name: module.name,
      sourceFiles: module.sources.length,
      changedBytes: module.changedBytes,
      wasmBytes: module.wasm?.bytes ?? 0,
      sha256: module.wasm?.sha256 ?? '',
      imports: module.imports.length,
      capabilities: module.capabilities,
      device: climber?.model?.name ?? '',
      loadMs: climber?.ms.load ?? 0,
      probeMs: climber?.ms.probe ?? 0,
    }
  })
}

const notBound = (name: string, reason = 'no interface'): DriverFailure =>
  new DriverFailure(`${name} did not bind`, {
    found: reason,
    expected: 'a driver bound to its device',
    todo: `see \`drvport run ${name}\``,
  })

async function demonstrate(context: Context): Promise<DemoDocument> {
  const started = performance.now()
  const workspace = await workspaceOf(context)
  try {
    const prepareMs = performance.now() - started
    const built = await buildAll(context, workspace, MODULES)
    const booting = performance.now()
    const session = await boot({
      seed: context.seed,
      modules: await modulesFor(built, [], []),
      flakyBus: true,
      signal: context.signal,
      verify: verifyPackage,
      symbolizer: symbolizerOf,
      wallMs: () => performance.now(),
      onCheck: (check) => context.progress.update(`${check.ok ? 'ok' : 'FAILED'}: ${check.name}`),
    })
    const bootMs = performance.now() - booting
    const unbound = session.climbers.find((one) => one.exercise === undefined)
    if (unbound !== undefined) throw notBound(unbound.name, unbound.reason)
    const { traffic, breakage } = await show(session)
    const report = session.report()
    return {
      schema: 'drvport.demo/1',
      seed: context.seed,
      tree: built.tree,
      toolchain: built.toolchain,
      modules: modulesOf(built, session),
      checks: report.checks,
      traffic,
      breakage,
      time: {
        prepareMs,
        buildMs: built.ms,
        bootMs,
        totalMs: performance.now() - started,
        virtualMs: report.time.virtualMs,
      },
      ok: report.checks.every((check) => check.ok) && breakage.fault !== undefined && breakage.contained,
    }
  } finally {
    await workspace.close()
  }
}

const heading = (text: string): string => `\n${paint('bold', text)}`

function renderModules({ modules, tree, toolchain }: DemoDocument): string {
  const rows = modules.map((module) => [
    module.name,
    `${module.sourceFiles} files, ${module.changedBytes} bytes changed`,
    bytes(module.wasmBytes),
    `${module.imports} (${module.capabilities.join(' ')})`,
    module.device,
    duration(module.loadMs),
    duration(module.probeMs),
  ])
  const columns = [
    { title: 'driver' },
    { title: 'source' },
    { title: 'wasm', align: 'right' as const },
    { title: 'imports' },
    { title: 'device' },
    { title: 'load', align: 'right' as const },
    { title: 'probe', align: 'right' as const },
  ]
  const title = heading(
    `Built from ${tree.name} (${tree.version}), unmodified, with ${toolchain.name} ${toolchain.version}`,
  )
  return `${title}\n${table(columns, rows)}`
}

function renderBreakage({ breakage }: DemoDocument): string {
  const { fault, recovery, damaged } = breakage
  const lines = [heading(`Then the bus flipped bits in ${damaged} descriptors`)]
  if (fault === undefined) return [...lines, 'and the driver survived them all'].join('\n')
  lines.push(renderFault(fault))
  if (recovery !== undefined) {
    const { ok, tookNs, reason } = recovery
    lines.push(
      ok
        ? `${paint('green', 'restarted')}: bound again ${duration(tookNs / 1e6)} of virtual time later; ${breakage.contained ? 'the other driver never noticed' : 'the other driver failed too'}`
        : `not restarted: ${reason ?? ''}`,
    )
  }
  return lines.join('\n')
}

function render(document: DemoDocument): string {
  const { time, traffic, seed } = document
  const mark = (ok: boolean): string => (ok ? paint('green', 'ok    ') : paint('red', 'FAILED'))
  const rate = count(Math.round((traffic.frames / traffic.wallMs) * 1000))
  return [
    renderModules(document),
    heading('One machine, both on one switch'),
    ...document.checks.map((check) => `${mark(check.ok)} ${check.name}: ${paint('dim', check.detail)}`),
    renderBreakage(document),
    '',
    `${document.ok ? paint('green', 'All as it should be') : paint('red', 'Not as it should be')}: ${count(traffic.frames)} frames at ${rate} a second, booted in ${duration(time.bootMs)}, ${duration(time.totalMs)} in all (${duration(time.buildMs)} building), seed ${seed}.`,
    'Next: drvport build MODULE, drvport run MODULE, drvport --help',
  ].join('\n')
}

export const demo: Command = {
  usage: 'demo',
  describe: 'convert real drivers, boot them, pass traffic, break one, see it recover',
  async run(context) {
    const document = await demonstrate(context)
    context.result(document, render)
    return document.ok ? 0 : 1
  },
}
