/** Flash: blocks are erased, written and read back, the first, the last and one between. */
import { O } from '../../machine/linux/system.ts'
import { demand, difference, entries, IOR, IOW, pattern, struct, word, type Kind } from './kind.ts'

/** struct mtd_info_user: type, flags, size, erase size, write size. */
const INFO_BYTES = 32
const MEMGETINFO = IOR('M', 1, INFO_BYTES)
const MEMERASE = IOW('M', 2, 8)
const PIECE = 4096
const ROOT = '/sys/class/mtd'

export const mtd: Kind = {
  noun: 'flash',
  classes: ['mtd'],
  beside: [],
  list: async (system) => (await entries(system, ROOT)).filter((name) => /^mtd\d+$/.test(name)),
  async exercise({ system, names: [name = ''] }) {
    const fd = await system.open(await system.node(`${ROOT}/${name}`), O.RDWR)
    const info = struct(INFO_BYTES)
    await system.control(fd, MEMGETINFO, info)
    // One byte of type, three of padding, then words.
    const [size, erase] = [word(info, 8), word(info, 12)]
    const blocks = [...new Set([0, Math.floor(size / erase / 2), size / erase - 1])]
    for (const block of blocks) {
      await system.control(fd, MEMERASE, struct(8, { 0: block * erase, 4: erase }))
      const blank = await system.pread(fd, PIECE, block * erase)
      demand(
        blank.every((byte) => byte === 0xff),
        `${name}: block ${block} is not blank after it was erased`,
      )
      await system.pwrite(fd, pattern(PIECE, block), block * erase)
    }
    for (const block of blocks) {
      const where = difference(await system.pread(fd, PIECE, block * erase), pattern(PIECE, block))
      demand(where < 0, `${name}: block ${block} differs at byte ${where}`)
    }
    await system.close(fd)
    return `${name}: ${size >> 10} KiB, ${blocks.length} blocks erased, written and read back`
  },
}
