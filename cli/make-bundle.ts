/**
 * Makes the bundle of the command line (bundle.ts) with esbuild, from the sources as they are. Each module of it keeps what it knows of
 * where it lies, so that workers and files beside it are found where they were written.
 *
 * Read when there is none. Without esbuild, or where nothing can be written, there is none then either.
 */
import { readFileSync, readdirSync, rmSync } from 'node:fs'
import * as path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildResult, Plugin } from 'esbuild'
import { bundleDir, codeFile, inputOf, makeRecord, recordFile, ROOT, writeWhole, type Input } from './bundle.ts'
import { ownKeyFiles, takeOwnKeys } from './own-keys.ts'

/** Files that changed more recently may change again without looking different. */
const SETTLED_MS = 2000

/** What a module knows of itself. */
const places = (file: string): Readonly<Record<string, string>> => ({
  'import.meta.url': pathToFileURL(file).href,
  'import.meta.dirname': path.dirname(file),
  'import.meta.filename': file,
})

const ownPlaces: Plugin = {
  name: 'own places',
  setup(build) {
    build.onLoad({ filter: /\.[jt]s$/ }, ({ path: file }) => {
      let contents = readFileSync(file, 'utf8')
      for (const [name, value] of Object.entries(places(file)))
        contents = contents.replaceAll(name, JSON.stringify(value))
      return { contents, loader: file.endsWith('.ts') ? 'ts' : 'js' }
    })
  },
}

async function build(extension: string): Promise<BuildResult<{ metafile: true; write: false }>> {
  const esbuild = await import('esbuild')
  try {
    return await esbuild.build({
      absWorkingDir: ROOT,
      entryPoints: [path.join(ROOT, 'cli', `command-line${extension}`)],
      outfile: codeFile('new'),
      bundle: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      packages: 'external',
      sourcemap: 'external',
      sourcesContent: false,
      banner: { js: '(function (exports, require, module) {' },
      footer: { js: '})' },
      plugins: [ownPlaces],
      logLevel: 'silent',
    })
  } finally {
    await esbuild.stop()
  }
}

/**
 * Make it, in place of the one before; false when a file of it was being written. Throws where it cannot be made or kept.
 */
export async function makeBundle(): Promise<boolean> {
  const began = Date.now()
  const keys = takeOwnKeys()
  const { outputFiles, metafile } = await build(path.extname(import.meta.filename))
  const inputs: Input[] = []
  // This file too: another one may make another bundle.
  const others = [...ownKeyFiles(), import.meta.filename].map((file) => path.relative(ROOT, file))
  for (const file of new Set([...Object.keys(metafile.inputs), ...others])) {
    const input = inputOf(file)
    if (input === undefined || Math.max(input[2], input[3]) > began - SETTLED_MS) return false
    inputs.push(input)
  }
  const id = `${began.toString(36)}-${process.pid}`
  for (const { path: file, contents } of outputFiles) writeWhole(file.replace(codeFile('new'), codeFile(id)), contents)
  writeWhole(recordFile(), JSON.stringify(makeRecord({ id, inputs, keys })))
  for (const name of readdirSync(bundleDir()))
    if (name !== path.basename(recordFile()) && !name.startsWith(id))
      rmSync(path.join(bundleDir(), name), { force: true })
  return true
}
