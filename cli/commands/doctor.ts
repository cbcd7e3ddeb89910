/** `drvport doctor`: what is installed, what is missing, how to get it. */
import { cacheDir } from '../../pipeline/cache.ts'
import { hostEnvironment, probeHostTools, type HostToolProbe } from '../../pipeline/toolchain/host-packages.ts'
import { probeToolchains } from '../../pipeline/toolchain/index.ts'
import type { Probe } from '../../pipeline/toolchain/index.ts'
import { CONFIGURE_TOOLS } from '../../pipeline/workspace.ts'
import { paint, table } from '../output.ts'
import type { Command } from '../context.ts'

interface DoctorDocument {
  readonly schema: 'drvport.doctor/1'
  readonly node: { readonly version: string; readonly promiseIntegration: boolean }
  readonly cache: string
  readonly toolchains: readonly Probe[]
  /** What configuring a tree runs; brought from Debian's packages when missing. */
  readonly hostTools: readonly HostToolProbe[]
  /** At least one toolchain can build drivers. */
  readonly ok: boolean
}

const hasPromiseIntegration = (): boolean => 'Suspending' in WebAssembly && 'promising' in WebAssembly

function render(document: DoctorDocument): string {
  const mark = (ok: boolean): string => (ok ? paint('green', 'ok') : paint('yellow', 'missing'))
  const rows = [
    [
      'node',
      mark(document.node.promiseIntegration),
      document.node.version,
      'runs the machine; needs JS Promise Integration',
    ],
    ...document.toolchains.map((probe) => [
      probe.name,
      mark(probe.found),
      probe.version ?? '',
      probe.found ? (probe.path ?? '') : [probe.problem, probe.todo].filter((text) => text !== undefined).join('; '),
    ]),
    ...document.hostTools
      .filter(({ tool }) => tool !== 'clang')
      .map(({ tool, found, packages }) => [
        tool,
        mark(found),
        '',
        found ? '' : `a build brings it (${packages.join(' ')})`,
      ]),
  ]
  return [
    table([{ title: 'what' }, { title: 'state' }, { title: 'version' }, { title: '' }], rows),
    '',
    `cache: ${document.cache}`,
  ].join('\n')
}

export const doctor: Command = {
  usage: 'doctor',
  describe: 'what is installed, what is missing, how to get it',
  async run(context) {
    const toolchains = await probeToolchains(await hostEnvironment())
    const document: DoctorDocument = {
      schema: 'drvport.doctor/1',
      node: { version: process.version, promiseIntegration: hasPromiseIntegration() },
      cache: cacheDir(),
      toolchains,
      hostTools: await probeHostTools(CONFIGURE_TOOLS),
      ok: hasPromiseIntegration() && toolchains.some((probe) => probe.found),
    }
    context.result(document, render)
    return document.ok ? 0 : 3
  },
}
