/**
 * Disks: what is written is read back, from the device and not from the cache, at both ends and in the middle. One that has no
 * size yet is given one as its makers say (zram by an attribute, loop by a file).
 */
import { O, type System } from '../../machine/linux/system.ts'
import {
  demand,
  difference,
  entries,
  exists,
  IO,
  IOR,
  pattern,
  textOf,
  writeText,
  type Kind,
  type Scene,
} from './kind.ts'

const BLKFLSBUF = IO(0x12, 97)
const BLKGETSIZE64 = IOR(0x12, 114, 4)
const LOOP_SET_FD = 0x4c00
const LOOP_CLR_FD = 0x4c01
const SECTOR = 512
const PIECE = 64 << 10
/** Of one that is given a size. */
const SIZE = 4 << 20
/** Of those that have appeared, so many are used. */
const DISKS_MAX = 2

const ROOT = '/sys/block'

/** Backed by a file of a file system in memory. */
async function attach(system: System, node: string): Promise<() => Promise<void>> {
  const path = `/dev/${node.split('/').at(-1)}.image`
  await system.writeFile(path, new Uint8Array(0), O.RDWR | O.CREAT)
  const file = await system.open(path, O.RDWR)
  const fd = await system.open(node, O.RDWR)
  await system.pwrite(file, new Uint8Array(1), SIZE - 1)
  const result = await system.ioctl(fd, LOOP_SET_FD, file)
  await system.close(file)
  demand(result === 0, `${node}: has no size, and takes no file: ${result}`)
  return async () => {
    await system.ioctl(fd, LOOP_CLR_FD)
    await system.close(fd)
  }
}

async function sizeOf(system: System, fd: number): Promise<number> {
  const out = new Uint8Array(8)
  await system.control(fd, BLKGETSIZE64, out)
  return Number(new DataView(out.buffer).getBigUint64(0, true))
}

/** Write it, drop what is cached, read it. */
export async function writeAndRead(system: System, node: string, bytes: number): Promise<number> {
  const fd = await system.open(node, O.RDWR)
  const piece = Math.min(PIECE, bytes)
  const places = [...new Set([0, SECTOR * Math.floor(bytes / 2 / SECTOR), bytes - piece])]
  for (const [i, at] of places.entries()) await system.pwrite(fd, pattern(piece, i + 1), at)
  await system.pwrite(fd, pattern(SECTOR, 9), SECTOR)
  await system.fsync(fd)
  await system.control(fd, BLKFLSBUF)
  const odd = difference(await system.pread(fd, SECTOR, SECTOR), pattern(SECTOR, 9))
  demand(odd < 0, `${node}: the second sector differs at byte ${odd}`)
  for (const [i, at] of places.entries()) {
    const wanted = pattern(piece, i + 1)
    const found = await system.pread(fd, piece, at)
    if (at === 0) wanted.set(pattern(SECTOR, 9), SECTOR)
    const where = difference(found, wanted)
    demand(where < 0, `${node}: byte ${at + where} is not what was written`)
  }
  await system.close(fd)
  return places.length * piece
}

async function use({ system }: Scene, name: string): Promise<string> {
  const node = await system.node(`${ROOT}/${name}`)
  let detach = async (): Promise<void> => {}
  if (Number(await textOf(system, `${ROOT}/${name}/size`)) === 0) {
    if (await exists(system, `${ROOT}/${name}/disksize`)) await writeText(system, `${ROOT}/${name}/disksize`, `${SIZE}`)
    else detach = await attach(system, node)
  }
  const fd = await system.open(node, O.RDWR)
  const bytes = await sizeOf(system, fd)
  await system.close(fd)
  const done = await writeAndRead(system, node, bytes)
  await detach()
  return `${name}: ${bytes >> 10} KiB, ${done >> 10} KiB written and read back`
}

export const block: Kind = {
  noun: 'disk',
  classes: ['block', 'scsi', 'ata'],
  beside: ['sd_mod', 'lzo-rle'],
  list: async (system) => {
    const found: string[] = []
    for (const name of await entries(system, ROOT)) found.push(name)
    return found
  },
  async exercise(scene) {
    const said: string[] = []
    for (const name of scene.names.slice(0, DISKS_MAX)) said.push(await use(scene, name))
    return said.join('; ')
  },
}
