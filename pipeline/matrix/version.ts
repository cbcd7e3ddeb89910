/** Which drvport made a matrix: its version, and the revision when it runs from a checkout. */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { packageRoot } from '../root.ts'
import { findProgram, runTool } from '../toolchain/process.ts'

let own: Promise<string> | undefined

/** `0.1.0` or `0.1.0+1bc0b9f`. */
export const ownVersion = (): Promise<string> => (own ??= findVersion())

async function findVersion(): Promise<string> {
  const { version } = JSON.parse(await fs.readFile(path.join(packageRoot, 'package.json'), 'utf8')) as {
    version: string
  }
  const revision = await ownRevision().catch(() => '')
  return revision === '' ? version : `${version}+${revision}`
}

async function ownRevision(): Promise<string> {
  // A package inside somebody else's repository must not take that one's revision.
  await fs.access(path.join(packageRoot, '.git'))
  const git = await findProgram('git')
  if (git === undefined) return ''
  const { status, stdout } = await runTool(git, ['-C', packageRoot, 'rev-parse', '--short', 'HEAD'])
  return status === 0 ? stdout.trim() : ''
}
