/** The engines other than this process, each brought if it is missing. */
import { InfrastructureError } from '../errors.ts'
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
  // Read when asked for: a server is much code.
  if (name === 'arm64') return (await import('./arm64.ts')).bringArm64(options)
  return (await import('./chromium.ts')).bringChromium(options)
}
