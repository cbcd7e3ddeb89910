/** A bucket that is a directory: on this computer, or one that several computers mount. Knows nothing of what is in it. */

import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { exists } from '../cache.ts'
import { asInfrastructure, InfrastructureError } from '../errors.ts'
import type { Bucket } from './remote.ts'

export function directoryBucket(dir: string): Bucket {
  const fail = (error: unknown, file: string): never => {
    const known = asInfrastructure(error, file)
    if (known instanceof InfrastructureError) throw known
    throw new InfrastructureError('the shared store cannot be used', {
      where: file,
      expected: 'a directory that can be read and written',
      found: (error as Error).message,
      todo: 'check --store, and that it is mounted here',
    })
  }
  return {
    where: dir,
    has: (name) => exists(path.join(dir, name)),
    async get(name) {
      const file = path.join(dir, name)
      return fs.readFile(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined
        return fail(error, file)
      })
    },
    async put(name, bytes) {
      const file = path.join(dir, name)
      // Process numbers repeat between computers: the temporary name must be nobody else's anywhere.
      const temporary = path.join(path.dirname(file), `.${randomUUID()}.tmp`)
      try {
        await fs.mkdir(path.dirname(file), { recursive: true })
        await fs.writeFile(temporary, bytes)
        await fs.rename(temporary, file)
      } catch (error) {
        await fs.rm(temporary, { force: true }).catch(() => undefined)
        fail(error, file)
      }
    },
  }
}
