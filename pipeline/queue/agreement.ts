/** What this computer would make rows with: the facts that decide them, each by the name a person knows it by. */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { contentKey, sha256 } from '../cache.ts'
import { rungIndex, type Rung } from '../ladder.ts'
import { packageRoot } from '../root.ts'
import type { Workspace } from '../workspace.ts'
import type { Agreement } from './protocol.ts'

/** Folders of this package that have a part in a row. */
const CODE = ['cli', 'pipeline', 'linux-api', 'shim', 'base', 'kernel', 'hw', 'machine', 'lab', 'drivers-src']

/** In an installed package the code lies in dist/, what it reads beside it. */
async function codeFiles(): Promise<string[]> {
  const files: string[] = []
  for (const dir of [...CODE, ...CODE.map((name) => `dist/${name}`)]) {
    if (dir.startsWith('dist/') && import.meta.filename.endsWith('.ts')) continue
    const entries = await fs
      .readdir(path.join(packageRoot, dir), { recursive: true, withFileTypes: true })
      .catch(() => [])
    for (const entry of entries) if (entry.isFile()) files.push(path.join(entry.parentPath, entry.name))
  }
  return files.toSorted()
}

let code: Promise<string> | undefined

/** Hash of everything of drvport that has a part in a row. */
export function codeKey(): Promise<string> {
  code ??= codeFiles().then(async (files) =>
    contentKey(
      (
        await Promise.all(
          files.map(async (file) => [path.relative(packageRoot, file), sha256(await fs.readFile(file))]),
        )
      ).flat(),
    ),
  )
  return code
}

async function packageVersion(): Promise<string> {
  const text = await fs.readFile(path.join(packageRoot, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

/** What Kconfig answered and generated; where it lies differs, what it says must not. */
async function configurationKey(view: string): Promise<string> {
  const files = ['include/config/auto.conf', 'include/generated/autoconf.h']
  return contentKey(await Promise.all(files.map((file) => fs.readFile(path.join(view, 'build', file), 'utf8'))))
}

export async function agreementOf({ tree, source, toolchain }: Workspace, until: Rung): Promise<Agreement> {
  return {
    'drvport version': await packageVersion(),
    'drvport code': await codeKey(),
    tree: `${source.name} (${source.version})`,
    'tree content': source.id,
    configuration: await configurationKey(tree.view),
    toolchain: toolchain.id,
    // What a driver does when it runs is told in the engine's words.
    ...(rungIndex(until) >= rungIndex('load') && { V8: process.versions.v8 }),
  }
}
