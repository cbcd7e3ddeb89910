/** What ran a machine, for a report. */
import type { ModuleRequest } from '../../lab/run.ts'
import type { EngineFacts } from './guest.ts'

/** What this Node is, and what it loaded: verified, so the hash is that of the manifest. */
export const thisEngine = (modules: readonly ModuleRequest[]): EngineFacts => ({
  name: 'node',
  version: `${process.version}, V8 ${process.versions.v8}`,
  arch: process.arch,
  loaded: modules.map(({ pack: { manifest } }) => ({ name: manifest.name, sha256: manifest.wasm.sha256 })),
})

/** What loaded what, for a reader to hold against other runs. */
export const renderEngine = ({ name, version, arch, loaded }: EngineFacts): string[] => [
  `${name} ${version} on ${arch}`,
  ...loaded.map((module) => `  ${module.name} sha256 ${module.sha256}`),
]
