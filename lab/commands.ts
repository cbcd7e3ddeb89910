/**
 * Commands into a running domain, as a person at its shell would give them: `cat PATH`, `ls PATH`, `stat PATH`,
 * `write PATH TEXT`, and `node PATH`, which makes the file in /dev of a device in sysfs. Each is system calls of the tree's own
 * kernel.
 */
import type { Driver } from '../machine/driver.ts'
import { SystemError, type System } from '../machine/linux/system.ts'

export interface Performed {
  readonly command: string
  readonly ok: boolean
  readonly output: string
}

export const COMMANDS = 'cat PATH, ls PATH, stat PATH, node PATH, write PATH TEXT'

type Work = (system: System, path: string, text: string) => Promise<string>

const decoder = new TextDecoder()
const encoder = new TextEncoder()
const MARKS = { directory: '/', link: '@', file: '', other: '' } as const

const WORK: Readonly<Record<string, Work>> = {
  cat: async (system, path) => decoder.decode(await system.readFile(path)),
  ls: async (system, path) => {
    const entries = await system.list(path)
    return entries.map(({ name, kind }) => `${name}${MARKS[kind]}\n`).join('')
  },
  stat: async (system, path) => {
    const { mode, bytes, device } = await system.stat(path)
    const node = device === undefined ? '' : ` device ${device[0]}:${device[1]}`
    return `${path}: mode ${mode.toString(8)}, ${bytes} bytes${node}\n`
  },
  node: async (system, path) => `${await system.node(path)}\n`,
  write: async (system, path, text) => {
    await system.writeFile(path, encoder.encode(text))
    return ''
  },
}

/** `cat PATH` as parts; undefined when it is no command. */
export function parseCommand(
  command: string,
): { readonly name: string; readonly path: string; readonly text: string } | undefined {
  const found = /^(\w+)\s+(\/\S*)(?:\s([\s\S]*))?$/.exec(command)
  const [, name = '', path = '', text] = found ?? []
  if (!Object.hasOwn(WORK, name) || (name === 'write') !== (text !== undefined)) return undefined
  return { name, path, text: text ?? '' }
}

/** Carry a command out in the kernel under a driver. Throws DriverEnded. */
export async function perform(driver: Driver, command: string): Promise<Performed> {
  const parts = parseCommand(command)
  const { system } = driver
  if (parts === undefined) return { command, ok: false, output: `no such command; there are ${COMMANDS}` }
  if (system === undefined) return { command, ok: false, output: 'the driver does not stand on a kernel of its own' }
  try {
    return { command, ok: true, output: await WORK[parts.name]!(system, parts.path, parts.text) }
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return { command, ok: false, output: error.message }
  }
}
