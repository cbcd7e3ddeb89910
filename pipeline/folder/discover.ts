/**
 * Folders with modules below a directory: a checkout of somebody's repository, with one driver or with ten. Judged by
 * names and text only; what is in them, Kbuild says.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { dkmsConfIn } from './dkms.ts'

/** Not looked into. */
const SKIPPED = /^(?:\..*|node_modules|Documentation|docs?)$/
const MAKEFILES = ['Kbuild', 'Makefile', 'makefile', 'GNUmakefile']
/** Modules of its own, or a call of the kernel's make for them. */
const MODULES = /^\s*(?:override\s+|export\s+)?obj-(?:m|\$[({]\w+[)}])\s*[+:]*=|\s(?:M|SUBDIRS|KBUILD_EXTMOD)=/m
const OBJECTS = /^\s*(?:override\s+|export\s+)?obj-(?:m|\$[({]\w+[)}])\s*[+:]*=(.*)$/gm

const DEPTH_MAX = 6
const FOLDERS_MAX = 200

async function textOf(file: string): Promise<string> {
  return fs.readFile(file, 'utf8').catch(() => '')
}

/** Whether a directory says that modules are built in it. */
async function hasModules(dir: string): Promise<boolean> {
  if ((await dkmsConfIn(dir)) !== undefined) return true
  for (const name of MAKEFILES) if (MODULES.test(await textOf(path.join(dir, name)))) return true
  return false
}

/** The topmost directories below `top`, itself left out, that say so, sorted. */
export async function foldersBelow(top: string): Promise<string[]> {
  const found: string[] = []
  const visit = async (dir: string, depth: number): Promise<void> => {
    const entries = await fs.readdir(dir, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.isDirectory() || SKIPPED.test(entry.name) || found.length >= FOLDERS_MAX) continue
      const below = path.join(dir, entry.name)
      if (await hasModules(below)) found.push(below)
      else if (depth < DEPTH_MAX) await visit(below, depth + 1)
    }
  }
  await visit(top, 1)
  return found
}

/** Modules that a directory's makefiles name, whatever decides on them. */
export async function modulesNamed(dir: string): Promise<string[]> {
  const texts = await Promise.all(MAKEFILES.map((name) => textOf(path.join(dir, name))))
  const lists = texts.flatMap((text) => [...text.replaceAll(/\\\n/g, ' ').matchAll(OBJECTS)])
  const names = lists
    .flatMap(([, list = '']) => list.split(/\s+/))
    .flatMap((word) => /^([\w-]+)\.o$/.exec(word)?.[1] ?? [])
  return [...new Set(names)].toSorted()
}

/** Whether there is a driver in a directory, or below it. */
export const isDriverFolder = async (dir: string): Promise<boolean> =>
  (await hasModules(dir)) || (await foldersBelow(dir)).length > 0

/** How many C files there are in a directory and below it. */
export async function sourcesBelow(dir: string): Promise<number> {
  let found = 0
  const visit = async (at: string, depth: number): Promise<void> => {
    for (const entry of await fs.readdir(at, { withFileTypes: true }).catch(() => []))
      if (entry.name.endsWith('.c')) found++
      else if (entry.isDirectory() && !SKIPPED.test(entry.name) && depth < DEPTH_MAX)
        await visit(path.join(at, entry.name), depth + 1)
  }
  await visit(dir, 1)
  return found
}
