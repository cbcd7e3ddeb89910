/** The engines other than this process, each brought if it is missing. */
import { InfrastructureError } from '../errors.ts'
import { bringArm64 } from './arm64.ts'
import { bringChromium } from './chromium.ts'
import type { BringOptions, Engine, EngineName } from './types.ts'

export { ENGINES, type Engine, type EngineName, type Job } from './types.ts'

/** Why this computer cannot have an engine, however it is asked; undefined when it can, or can try. */
export function engineProblem(name: EngineName): string | undefined {
  if (name === 'arm64' && process.platform !== 'linux')
    return `its emulator runs programs of Linux, and this is ${process.platform}`
  return undefined
}

/** Throws InfrastructureError, saying why, when this computer cannot have it. */
export async function bringEngine(name: Exclude<EngineName, 'node'>, options: BringOptions = {}): Promise<Engine> {
  const problem = engineProblem(name)
  if (problem !== undefined)
    throw new InfrastructureError(`this computer cannot run the engine ${name}`, {
      found: problem,
      todo: 'use another --engine',
    })
  return name === 'arm64' ? bringArm64(options) : bringChromium(options)
}
