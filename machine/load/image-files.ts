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
import { join } from 'node:path'
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

let code: string | undefined

/** Names the machine of this process. */
function machineKey(): string {
  if (code !== undefined) return code
  const hash = createHash('sha256')
  for (const directory of CODE) {
    const at = join(import.meta.dirname, '..', '..', directory)
    for (const file of sourcesIn(at).toSorted()) hash.update(readFileSync(file))
  }
  return (code = hash.digest('hex').slice(0, 16))
}

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
