/** `drvport optimize MODULE --profile RUN`: an artefact for this computer from a stored bytecode and what a run counted. */
import { readFileSync } from 'node:fs'
import { UsageError } from '../../pipeline/errors.ts'
import { thisBinding } from '../../pipeline/optimize/binding.ts'
import { bytecodesOf, optimise, profileFor, profileIn, type Bytecode } from '../../pipeline/optimize/index.ts'
import type { Artefact } from '../../pipeline/store/artefacts.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import type { ModuleProfile } from '../../pipeline/optimize/profile.ts'
import type { Command } from '../context.ts'
import { workspaceOf } from '../workspace.ts'
import { buildAll } from './run.ts'

interface OptimizeDocument extends Omit<Artefact, 'schema'> {
  readonly schema: 'drvport.optimize/1'
  /** Directory of the artefact. */
  readonly dir: string
  readonly bytecodeBytes: number
  /** It was kept from before: nothing was made. */
  readonly kept: boolean
  /** The same of modules it stands on, as far as the profile knows them. */
  readonly others: readonly Omit<OptimizeDocument, 'schema' | 'others'>[]
}

function readDocument(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new UsageError('cannot read the profile', {
      where: path,
      expected: 'a file that `drvport run MODULE --profile FILE` wrote',
      cause,
    })
  }
}

type Made = OptimizeDocument['others'][number]

const renderMade = ({ name, inlined, bytecodeBytes, wasm, kept }: Made): string =>
  `${name}: ${inlined} hot calls inlined, ${bytecodeBytes} bytes to ${wasm.bytes}${kept ? ' (kept from before)' : ''}`

const render = (document: OptimizeDocument): string => {
  const { name, source, wasm, dir, others } = document
  return [
    ...others.map(renderMade),
    renderMade(document),
    `  bytecode sha256 ${source.bytecode}`,
    `  artefact sha256 ${wasm.sha256}`,
    `  for ${source.engine} on ${source.cpu}`,
    `  in ${dir}`,
    `use it: drvport run ${name} --optimized`,
  ].join('\n')
}

export const optimize: Command = {
  usage: 'optimize <module>',
  describe: 'make a faster artefact of a module for this computer, from a profile',
  options: (argv) =>
    argv
      .positional('module', { type: 'string', demandOption: true, describe: 'a module, as in `drvport run`' })
      .option('profile', {
        type: 'string',
        demandOption: true,
        describe: 'what `drvport run MODULE --profile FILE` counted',
      }),
  async run(context, argv) {
    const path = argv['profile'] as string
    const document = readDocument(path)
    const workspace = await workspaceOf(context)
    try {
      const { modules } = await buildAll(context, workspace, [argv['module'] as string])
      const [module, ...more] = modules
      if (module === undefined || more.length > 0)
        throw new UsageError('optimize takes one module', { found: `${modules.length} modules`, todo: 'name one' })
      const pack = await readPackage(module.package!, module.name)
      const binding = await thisBinding()
      const told = (why: string): void => context.progress.note(`made again: ${why}`)
      const make = async (bytecode: Bytecode, profile: ModuleProfile): Promise<Made> => {
        const { artefact, dir, kept } = await optimise(bytecode, profile, binding, told)
        const { schema: _, ...rest } = artefact
        return { ...rest, dir, bytecodeBytes: bytecode.wasm.length, kept }
      }
      const bytecodes = await bytecodesOf(pack)
      const driver = bytecodes.pop()!
      const own = profileFor(document, driver, path)
      const others: Made[] = []
      for (const bytecode of bytecodes) {
        const profile = profileIn(document, bytecode, path)
        if (profile !== undefined) others.push(await make(bytecode, profile))
      }
      const result = { schema: 'drvport.optimize/1' as const, ...(await make(driver, own)), others }
      context.result<OptimizeDocument>(result, render)
      return 0
    } finally {
      await workspace.close()
    }
  },
}
