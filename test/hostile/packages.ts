/** The drivers of a hostile run, built by the product's own pipeline from a tree and from folders beside it. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readPackage } from '../../machine/load/package-files.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import type { openWorkspace } from '../../pipeline/workspace.ts'
import { callsHeader } from './attacks.ts'
import type { Subjects } from './scene.ts'

type Workspace = Pick<Awaited<ReturnType<typeof openWorkspace>>, 'tree' | 'toolchain'>

/** Where each package is, by the driver's name. */
export type Directories = Readonly<Record<string, string>>

const DRIVERS = { hostile: 'hostile', bystander: 'e1000', server: 'ipc_server', client: 'ipc_client' } as const

/** Build them: the hostile driver with the calls that the ABI has now. */
export async function buildSubjects({ tree, toolchain }: Workspace): Promise<Directories> {
  const folder = await mkdtemp(join(tmpdir(), 'drvport-hostile-'))
  try {
    await cp(join(import.meta.dirname, 'driver'), folder, { recursive: true })
    await writeFile(join(folder, 'calls.h'), callsHeader())
    const selectors = [folder, join(packageRoot, 'drivers-src/ipc'), DRIVERS.bystander]
    const { modules } = await buildModules({ tree, selectors, toolchain })
    const found = Object.values(DRIVERS).map((name) => {
      const module = modules.find((one) => one.name === name)
      if (module?.package === undefined) throw new Error(`${name} was not built: ${JSON.stringify(module, null, 1)}`)
      return [name, module.package] as const
    })
    return Object.fromEntries(found)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export async function readSubjects(directories: Directories): Promise<Subjects> {
  const read = (name: string): Promise<DriverPackage> => readPackage(directories[name]!, name)
  const [hostile, bystander, server, client] = await Promise.all(Object.values(DRIVERS).map(read))
  return { hostile: hostile!, bystander: bystander!, server: server!, client: client! }
}
