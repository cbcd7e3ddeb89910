/**
 * File systems: mounted, on a small disk where they want one; files and directories made, written, renamed and read back, after
 * a second mount too where what is written lasts.
 */
import { O, SystemError, type System } from '../../machine/linux/system.ts'
import { demand, difference, entries, pattern, textOf, type Kind } from './kind.ts'
import { IMAGES } from './images.ts'

const DISK = '/sys/block/ram0'
const WHERE = '/mnt'
const FILE_BYTES = 150_000
/** What a file system answers that nobody may write to. */
const READ_ONLY = new Set([-30, -1, -13, -22])

const encoder = new TextEncoder()

/** Registered ones, `nodev` before those that need no disk. */
async function registered(system: System): Promise<string[]> {
  const text = await textOf(system, '/proc/filesystems')
  return text.split('\n').map((line) => line.trim().replace('\t', ' '))
}

const joined = (path: string, name: string): string => `${path}/${name}`

/** Fill it. False when it is not there to be written to. */
async function fill(system: System): Promise<boolean> {
  try {
    await system.mkdir(joined(WHERE, 'dir'))
  } catch (error) {
    if (error instanceof SystemError && READ_ONLY.has(error.code)) return false
    throw error
  }
  await system.writeFile(joined(WHERE, 'dir/large.bin'), pattern(FILE_BYTES, 3), O.RDWR | O.CREAT)
  await system.writeFile(joined(WHERE, 'small.txt'), encoder.encode('hello'), O.RDWR | O.CREAT)
  await system.writeFile(joined(WHERE, 'gone'), new Uint8Array(1), O.RDWR | O.CREAT)
  await system.unlink(joined(WHERE, 'gone'))
  return true
}

async function check(system: System): Promise<void> {
  const names = (await entries(system, WHERE)).filter((name) => name !== 'lost+found')
  demand(names.join(' ') === 'dir small.txt', `it holds ${names.join(' ')}`)
  const large = await system.readFile(joined(WHERE, 'dir/large.bin'))
  const where = difference(large, pattern(FILE_BYTES, 3))
  demand(where < 0, `byte ${where} of large.bin, which has ${large.length} bytes, is not what was written`)
  demand((await textOf(system, joined(WHERE, 'small.txt'))) === 'hello', 'small.txt is another')
}

async function use(system: System, name: string): Promise<string> {
  const [type = '', isPlain] = [name.replace(/^nodev /, ''), !name.startsWith('nodev ')]
  let source = 'none'
  if (isPlain) {
    const image = IMAGES[type]
    demand(image !== undefined, `${type}: an image of it is not known`)
    source = await system.node(DISK)
    await system.writeFile(source, image())
  }
  await system.mount(source, WHERE, type)
  const written = await fill(system)
  if (written) await check(system)
  const count = (await entries(system, WHERE)).length
  await system.umount(WHERE)
  if (!written) {
    demand(count > 0, `${type}: holds nothing, and takes nothing`)
    return `${type}: mounted, ${count} entries`
  }
  if (!isPlain) return `${type}: files written and read back`
  await system.mount(source, WHERE, type)
  await check(system)
  await system.umount(WHERE)
  return `${type}: files written, and read back after a second mount`
}

export const fileSystem: Kind = {
  noun: 'file system',
  classes: ['filesystem'],
  beside: ['crc32c_generic', 'brd', 'nls_cp437', 'nls_iso8859-1'],
  list: registered,
  async exercise({ system, names }) {
    await system.mkdir(WHERE).catch(() => 0)
    const said: string[] = []
    for (const name of names) said.push(await use(system, name))
    return said.join('; ')
  },
}
