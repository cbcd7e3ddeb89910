/**
 * The repository in which a driver lies, and the one that drvport came from: what a workflow has to name. Reads, and
 * writes nothing.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import { isDriverFolder } from '../folder/discover.ts'
import { packageRoot } from '../root.ts'
import { findProgram, runTool } from '../toolchain/process.ts'
import type { Origin } from './types.ts'

export interface Repository {
  readonly root: string
  /** The folder from there, as a selector: `.` or `./drivers/acme`. */
  readonly driver: string
  /** The branch that counts. */
  readonly branch: string
  /** `owner/name`, where its remote tells. */
  readonly name?: string
}

async function git(dir: string, ...args: readonly string[]): Promise<string | undefined> {
  const program = await findProgram('git')
  if (program === undefined) return undefined
  const { status, stdout } = await runTool(program, ['-C', dir, ...args])
  return status === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

/** `owner/name` of `git@host:owner/name.git` and of `https://host/owner/name`. */
export const nameOfRemote = (url: string): string | undefined =>
  /^(?:\w+:\/\/[^/]+\/|[^/:]+:)(.+?)(?:\.git)?\/?$/.exec(url)?.[1]

/** A folder outside of any repository is taken as the root of one. Throws UsageError for one without a driver. */
export async function repositoryOf(folder: string): Promise<Repository> {
  const dir = await fs.realpath(folder).catch(() => undefined)
  if (dir === undefined || !(await isDriverFolder(dir)))
    throw new UsageError('no driver to write a workflow for', {
      where: path.resolve(folder),
      expected: 'a folder with a Kbuild file, a Makefile with obj-m or a dkms.conf, in it or below it',
      found: dir === undefined ? 'no such folder' : 'none',
      todo: 'name the folder of the driver: drvport ci github ./my-driver',
    })
  const root = (await git(dir, 'rev-parse', '--show-toplevel')) ?? dir
  const relative = path.relative(root, dir)
  const head = await git(root, 'symbolic-ref', '--short', 'refs/remotes/origin/HEAD')
  const branch = head?.replace(/^origin\//, '') ?? (await git(root, 'symbolic-ref', '--short', 'HEAD')) ?? 'main'
  const remote = await git(root, 'remote', 'get-url', 'origin')
  const name = remote === undefined ? undefined : nameOfRemote(remote)
  return { root, driver: relative === '' ? '.' : `./${relative}`, branch, ...(name !== undefined && { name }) }
}

/**
 * `URL#REF`, or a folder of the driver's repository. Nothing given: the repository that this drvport was cloned from, at
 * its revision, or the folder `drvport`.
 */
export async function originOf(given: string | undefined): Promise<Origin> {
  if (given !== undefined) {
    const [, url, ref = 'HEAD'] = /^((?:\w+:\/\/|[\w.-]+@[\w.-]+:).+?)(?:#(.+))?$/.exec(given) ?? []
    return url === undefined ? { kind: 'folder', folder: given } : { kind: 'clone', url, ref }
  }
  const own = (await git(packageRoot, 'rev-parse', '--show-toplevel')) === packageRoot
  const url = own ? await git(packageRoot, 'remote', 'get-url', 'origin') : undefined
  const ref = await git(packageRoot, 'rev-parse', 'HEAD')
  return url === undefined || ref === undefined ? { kind: 'folder', folder: 'drvport' } : { kind: 'clone', url, ref }
}
