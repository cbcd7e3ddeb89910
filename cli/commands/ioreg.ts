/** `drvport ioreg [MODULE...]`: which devices there are in a machine, who drives them, and who else could. */
import { UsageError } from '../../pipeline/errors.ts'
import type { BuildDocument } from '../../pipeline/build/index.ts'
import { modelsFor } from '../../lab/classes.ts'
import { describePlugs } from '../../lab/stage.ts'
import type { IoregDocument, IoregEvent, IoregNode } from '../../machine/tree/ioreg.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { parseStep, perform, type Step, STEPS } from '../../lab/stage.ts'
import type { Command } from '../context.ts'
import { symbolizerOf, verifyPackage } from '../machine.ts'
import { LAYERED_ALLOWANCE } from '../trust.ts'
import { paint } from '../output.ts'
import { workspaceOf } from '../workspace.ts'
import { buildAll } from './run.ts'

function readSteps(words: readonly string[]): Step[] {
  return words.map((word) => {
    const step = parseStep(word)
    if (step !== undefined) return step
    throw new UsageError(`cannot read the step ${word}`, {
      expected: STEPS,
      todo: `devices: ${describePlugs()}; fields: vendor, device, subvendor, subdevice, class, revision`,
    })
  })
}

const sameName = (a: string, b: string): boolean => a.replaceAll('-', '_') === b.replaceAll('-', '_')

/** Packages by the name they were asked for. */
async function packagesOf(document: BuildDocument, names: readonly string[]): Promise<Map<string, DriverPackage>> {
  const packs = new Map<string, DriverPackage>()
  for (const name of names) {
    const module = document.modules.find((built) => sameName(built.name, name))
    if (module === undefined) {
      const found = document.modules.map((built) => built.name).join(', ')
      throw new UsageError(`${name} names no one module`, { expected: 'the name of a module', found })
    }
    packs.set(name, await readPackage(module.package!, module.name))
  }
  return packs
}

/** Without --plug: a device for each module, those of the first its ids name. */
function defaultPlugs(packs: ReadonlyMap<string, DriverPackage>, modules: readonly string[]): Step[] {
  const models = new Set(modules.flatMap((name) => modelsFor(packs.get(name)!.manifest).slice(0, 1)))
  return [...models].map((model) => ({ do: 'plug', device: { model, identity: {}, targets: [] } }))
}

// ---- for people ----

const hex = (value: unknown, digits: number): string => Number(value).toString(16).padStart(digits, '0')

function described({ class: of, properties }: IoregNode): string {
  if (of !== 'pci')
    return [of, ...Object.entries(properties).map(([name, value]) => `${name}=${String(value)}`)].join(' ')
  const { vendor, device, revision, class: code } = properties
  return `pci ${hex(vendor, 4)}:${hex(device, 4)} revision ${hex(revision, 2)} class ${hex(code, 6)}`
}

function driverText(node: IoregNode): string {
  if (node.driver === undefined) return node.candidates.length > 0 ? paint('yellow', node.state) : ''
  const score = node.attempts.find(({ driver, refusal }) => driver === node.driver && refusal === undefined)?.score
  const where = node.domain === node.driver ? '' : ` in ${node.domain}`
  return `${paint('green', node.driver)}${where}${score === undefined ? '' : paint('dim', ` score ${score}`)}`
}

/** Lines below a node: who refused it, and who else could drive it. */
function others(node: IoregNode): string[] {
  const refused = node.attempts.filter(({ refusal }) => refusal !== undefined)
  const asked = new Set(node.attempts.map(({ driver }) => driver))
  const waiting = node.candidates.filter(({ driver }) => !asked.has(driver) && driver !== node.driver)
  return [
    ...refused.map(({ driver, score, refusal }) => `${driver} score ${score}: ${refusal}`),
    ...waiting.map(({ driver, score }) => `${driver} score ${score}: could drive it too`),
  ]
}

function treeLines(node: IoregNode, lead: string): string[] {
  return node.children.flatMap((child, index) => {
    const last = index === node.children.length - 1
    const below = `${lead}${last ? '   ' : '│  '}`
    const line = `${lead}${last ? '└─ ' : '├─ '}${child.name}  ${paint('dim', described(child))}  ${driverText(child)}`
    const bar = child.children.length > 0 ? '│' : ' '
    return [
      line.trimEnd(),
      ...others(child).map((text) => `${below}${bar}    ${paint('dim', text)}`),
      ...treeLines(child, below),
    ]
  })
}

const eventLine = ({ atMs, event, path, detail }: IoregEvent): string =>
  `${atMs.toFixed(3).padStart(12)} ms  ${event.padEnd(9)} ${path}${detail === '' ? '' : `  ${detail}`}`

export function renderIoreg(document: IoregDocument, problems: readonly string[], verbose: boolean): string {
  const events = verbose ? ['', ...document.events.map(eventLine)] : []
  const shown = (document.shown ?? []).map(({ module, path, value }) => `${module}/${path}: ${value}`)
  return [
    '/',
    ...treeLines(document.root, ''),
    ...events,
    ...shown,
    ...problems.map((text) => paint('red', text)),
  ].join('\n')
}

export const ioreg: Command = {
  usage: 'ioreg [modules..]',
  describe: 'the registry of a machine: devices, who drives them, and who else could',
  options: (argv) =>
    argv
      .positional('modules', { array: true, type: 'string', default: [], describe: 'drivers to load' })
      .option('plug', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: "DEVICE[,FIELD=NUMBER]: plug this in; by default a device of each driver's ids",
      })
      .option('do', { type: 'string', array: true, default: [] as string[], describe: `and then: ${STEPS}` }),
  async run(context, argv) {
    const modules = argv['modules'] as string[]
    const plugs = readSteps((argv['plug'] as string[]).map((device) => `plug:${device}`))
    const then = readSteps(argv['do'] as string[])
    const names = [...new Set([...modules, ...then.flatMap((step) => ('module' in step ? [step.module] : []))])]
    if (names.length === 0 && plugs.length === 0 && then.length === 0)
      throw new UsageError('nothing to show', {
        todo: 'name modules, or --plug devices, as in `drvport ioreg 8139too`',
      })
    const workspace = names.length > 0 ? await workspaceOf(context) : undefined
    try {
      const document = workspace && (await buildAll(context, workspace, names))
      const packs = document ? await packagesOf(document, names) : new Map<string, DriverPackage>()
      const devices = plugs.length > 0 || then.some((step) => step.do === 'plug') ? plugs : defaultPlugs(packs, modules)
      const loads = modules.map((module) => ({ do: 'load', module }) as const)
      const { document: shown, problems } = await perform([...devices, ...loads, ...then], packs, {
        seed: context.seed,
        verify: (pack) => verifyPackage(pack, LAYERED_ALLOWANCE),
        layered: true,
        symbolizer: symbolizerOf,
        signal: context.signal,
      })
      for (const problem of problems) context.progress.note(problem)
      context.result(shown, (it) => renderIoreg(it, [], context.verbose > 0))
      return problems.length === 0 ? 0 : 1
    } finally {
      await workspace?.close()
    }
  },
}
