/**
 * Images of a booted kernel as files, so that a process need not boot what another one has booted: by size of memory, and by
 * the machine that booted, since another machine's clock and calls make another image.
 *
 * A file is the hash of what follows it, and that (image.ts); it appears whole or not at all. What is damaged, or cannot be
 * written, counts as absent: a boot gives the same. Needs Node.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { decodeImage, encodeImage, type KeptImages } from './image.ts'

/** Files kept of one core and size: several checkouts may use one cache, and each has a machine of its own. */
const KEPT_MAX = 4

const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex')
const HASH_BYTES = 64

/** All of the machine's code that a boot may depend on. */
const CODE = ['base', 'kernel', 'hw', 'machine', 'linux-api/generated']

/** One by one: Node's own way down takes several times as long. */
const sourcesIn = (directory: string): string[] =>
  readdirSync(directory, { withFileTypes: true }).flatMap((item) => {
    const at = join(directory, item.name)
    if (item.isDirectory()) return sourcesIn(at)
    return /\.[jt]s$/.test(item.name) ? [at] : []
  })

const root = join(import.meta.dirname, '..', '..')

/** The machine's own code, and the folders that it is in. */
export const machineFiles = (): string[] =>
  CODE.flatMap((directory) => sourcesIn(join(root, directory))).flatMap((file) => [file, dirname(file)])

/** Names the machine that is written there. */
export function takeMachineKey(): string {
  const hash = createHash('sha256')
  for (const directory of CODE)
    for (const file of sourcesIn(join(root, directory)).toSorted()) hash.update(readFileSync(file))
  return hash.digest('hex').slice(0, 16)
}

let machine: string | undefined

/** Who has the key from elsewhere, of the same files, spares taking it. */
export const knowMachineKey = (key: string): void => void (machine = key)

/** Names the machine of this process. */
const machineKey = (): string => (machine ??= takeMachineKey())

/** Images of one core, in a directory of its own. */
export function imageFiles(directory: string): KeptImages {
  const fileOf = (size: number): string => join(directory, `${size}-${machineKey()}`)
  return {
    async read(size) {
      try {
        const content = readFileSync(fileOf(size))
        const image = new Uint8Array(content.buffer, content.byteOffset + HASH_BYTES, content.length - HASH_BYTES)
        if (sha256(image) !== content.toString('latin1', 0, HASH_BYTES)) return undefined
        return decodeImage(image)
      } catch {
        return undefined
      }
    },
    async write(image) {
      const file = fileOf(image.content.size)
      const temporary = `${file}.${process.pid}.tmp`
      const content = encodeImage(image)
      try {
        await mkdir(directory, { recursive: true })
        await writeFile(temporary, [Buffer.from(sha256(content), 'latin1'), content])
        await rename(temporary, file)
        await forgetOldest(directory, `${image.content.size}-`)
      } catch {
        await rm(temporary, { force: true }).catch(() => undefined)
      }
    },
  }
}

/** Of the files of one size, keep the newest. */
async function forgetOldest(directory: string, prefix: string): Promise<void> {
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix) && !name.endsWith('.tmp'))
  const files = await Promise.all(
    names.map(async (name) => ({ name, at: (await stat(join(directory, name))).mtimeMs })),
  )
  for (const { name } of files.toSorted((a, b) => b.at - a.at).slice(KEPT_MAX)) await rm(join(directory, name))
}
