/** What an artefact is bound to: this computer's engine and the features of its processor. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import { sha256 } from '../cache.ts'
import type { Binding } from '../store/artefacts.ts'

/** Features as the system lists them, in no order; the model's name where it lists none. */
async function cpuFeatures(): Promise<string> {
  const info = await fs.readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  const [, list] = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info) ?? []
  return list === undefined ? (os.cpus()[0]?.model ?? '') : list.split(' ').toSorted().join(' ')
}

/** This process's engine on this processor. */
export async function thisBinding(): Promise<Binding> {
  return {
    engine: `node ${process.versions.node}, V8 ${process.versions.v8}`,
    cpu: `${process.arch} ${sha256(await cpuFeatures()).slice(0, 16)}`,
  }
}
