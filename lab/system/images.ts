/**
 * Small file systems, empty but for their root, as mkfs makes them: what a file system's driver is given to mount. Written
 * from the formats' descriptions (Documentation/filesystems of the kernel tree). Pure.
 */

export const IMAGE_BYTES: number = 4 << 20

class Bytes {
  readonly bytes: Uint8Array
  readonly #view: DataView
  constructor(size: number) {
    this.bytes = new Uint8Array(size)
    this.#view = new DataView(this.bytes.buffer)
  }
  /** Fields of a structure at `base`: offset, width in bytes, value; `big` for big-endian. */
  put(
    base: number,
    fields: readonly (readonly [offset: number, width: 1 | 2 | 4, value: number])[],
    big = false,
  ): void {
    for (const [offset, width, value] of fields) {
      if (width === 1) this.#view.setUint8(base + offset, value)
      else if (width === 2) this.#view.setUint16(base + offset, value, !big)
      else this.#view.setUint32(base + offset, value, !big)
    }
  }
  /** Bits from 0 up to `count` of a bitmap, and all from `end` to its end. */
  bitmap(base: number, size: number, count: number, end: number): void {
    for (let bit = 0; bit < size * 8; bit++)
      if (bit < count || bit >= end) this.bytes[base + (bit >> 3)]! |= 1 << (bit & 7)
  }
  text(at: number, text: string): void {
    new TextEncoder().encodeInto(text, this.bytes.subarray(at))
  }
}

const KIB = 1024

/** Which extended file system: a journal from ext3 on, files in extents in ext4. */
type Generation = 2 | 3 | 4

const EXT = { inodes: 256, inodeBytes: 128, journalBlocks: 1024, perBlock: KIB / 4, direct: 12 }

/** Of a file whose blocks follow each other: the blocks that map it lie before them. Returns how many those are. */
function mapped(disk: Bytes, inode: number, at: number, count: number): number {
  const { direct, perBlock } = EXT
  const behind = Math.max(0, Math.ceil((count - direct - perBlock) / perBlock))
  const maps = 2 + behind
  const first = at + maps
  const list = (block: number, from: number, length: number): void => {
    for (let i = 0; i < length; i++) disk.put(block * KIB, [[4 * i, 4, from + i]])
  }
  for (let i = 0; i < direct; i++) disk.put(inode, [[40 + 4 * i, 4, first + i]])
  disk.put(inode, [
    [40 + 4 * direct, 4, at],
    [44 + 4 * direct, 4, at + 1],
  ])
  list(at, first + direct, perBlock)
  list(at + 1, at + 2, behind)
  for (let i = 0; i < behind; i++) {
    const done = direct + perBlock * (i + 1)
    list(at + 2 + i, first + done, Math.min(perBlock, count - done))
  }
  return maps
}

/** Documentation/filesystems/ext4: one group of blocks of 1 KiB. */
function ext(generation: Generation): Uint8Array {
  const disk = new Bytes(IMAGE_BYTES)
  const { inodes, inodeBytes, journalBlocks } = EXT
  const blocks = IMAGE_BYTES / KIB
  const at = { super: 1, group: 2, blockMap: 3, inodeMap: 4, inodes: 5, root: 5 + (inodes * inodeBytes) / KIB }
  const inode = (number: number): number => at.inodes * KIB + (number - 1) * inodeBytes
  const hasJournal = generation > 2
  const maps = generation === 3 ? mapped(disk, inode(8), at.root + 1, journalBlocks) : 0
  const journal = at.root + 1 + maps
  const used = journal + (hasJournal ? journalBlocks : 0)
  disk.put(at.super * KIB, [
    [0, 4, inodes],
    [4, 4, blocks],
    [12, 4, blocks - used],
    [16, 4, inodes - 10],
    [20, 4, 1],
    [32, 4, 8192],
    [36, 4, 8192],
    [40, 4, inodes],
    [54, 2, 0xffff],
    [56, 2, 0xef53],
    [58, 2, 1],
    [60, 2, 1],
    [76, 4, 1],
    [84, 4, 11],
    [88, 2, inodeBytes],
    [92, 4, hasJournal ? 0x4 : 0],
    [96, 4, generation === 4 ? 0x42 : 0x2],
    [104, 4, 0x64727670],
    [224, 4, hasJournal ? 8 : 0],
  ])
  disk.put(at.group * KIB, [
    [0, 4, at.blockMap],
    [4, 4, at.inodeMap],
    [8, 4, at.inodes],
    [12, 2, blocks - used],
    [14, 2, inodes - 10],
    [16, 2, 1],
  ])
  // Block 0 is outside of the first group's map.
  disk.bitmap(at.blockMap * KIB, KIB, used - 1, blocks - 1)
  disk.bitmap(at.inodeMap * KIB, KIB, 10, inodes)
  disk.put(inode(2), [
    [0, 2, 0o40755],
    [4, 4, KIB],
    [26, 2, 2],
    [28, 4, 2],
    [40, 4, at.root],
  ])
  disk.put(at.root * KIB, [
    [0, 4, 2],
    [4, 2, 12],
    [6, 1, 1],
    [7, 1, 2],
    [8, 1, 0x2e],
    [12, 4, 2],
    [16, 2, KIB - 12],
    [18, 1, 2],
    [19, 1, 2],
    [20, 2, 0x2e2e],
  ])
  if (!hasJournal) return disk.bytes
  disk.put(inode(8), [
    [0, 2, 0o100600],
    [4, 4, journalBlocks * KIB],
    [26, 2, 1],
    [28, 4, (journalBlocks + maps) * 2],
  ])
  // One extent of the whole.
  if (generation === 4)
    disk.put(inode(8), [
      [32, 4, 0x80000],
      [40, 2, 0xf30a],
      [42, 2, 1],
      [44, 2, 4],
      [56, 2, journalBlocks],
      [60, 4, journal],
    ])
  // The journal's own superblock (fs/jbd2), version 2, big-endian.
  const header = [
    [0, 4, 0xc03b3998],
    [4, 4, 4],
    [12, 4, KIB],
    [16, 4, journalBlocks],
    [20, 4, 1],
    [24, 4, 1],
    [64, 4, 1],
  ] as const
  disk.put(journal * KIB, header, true)
  return disk.bytes
}

/** FAT12: sectors of 512 bytes, clusters of four. */
function fat(): Uint8Array {
  const disk = new Bytes(IMAGE_BYTES)
  const sectors = IMAGE_BYTES / 512
  const fatSectors = Math.ceil(((sectors / 4) * 12) / 8 / 512)
  disk.bytes.set([0xeb, 0x3c, 0x90])
  disk.text(3, 'DRVPORT ')
  disk.put(0, [
    [11, 2, 512],
    [13, 1, 4],
    [14, 2, 1],
    [16, 1, 2],
    [17, 2, 512],
    [19, 2, sectors],
    [21, 1, 0xf8],
    [22, 2, fatSectors],
    [24, 2, 32],
    [26, 2, 2],
    [36, 1, 0x80],
    [38, 1, 0x29],
    [39, 4, 0x64727670],
    [510, 2, 0xaa55],
  ])
  disk.text(43, 'DRVPORT    FAT12   ')
  for (const copy of [0, 1]) disk.bytes.set([0xf8, 0xff, 0xff], (1 + copy * fatSectors) * 512)
  return disk.bytes
}

/** Minix, version 1, names of 14 characters: fs/minix, include/uapi/linux/minix_fs.h. */
function minix(): Uint8Array {
  const disk = new Bytes(IMAGE_BYTES)
  const zones = IMAGE_BYTES / KIB
  const inodes = 256
  const tableBlocks = (inodes * 32) / KIB
  const first = 2 + 1 + 1 + tableBlocks
  disk.put(KIB, [
    [0, 2, inodes],
    [2, 2, zones],
    [4, 2, 1],
    [6, 2, 1],
    [8, 2, first],
    [10, 2, 0],
    [12, 4, (7 + 512 + 512 * 512) * KIB],
    [16, 2, 0x137f],
    [18, 2, 1],
  ])
  disk.bitmap(2 * KIB, KIB, 2, inodes + 1)
  disk.bitmap(3 * KIB, KIB, 2, zones - first + 1)
  disk.put(4 * KIB, [
    [0, 2, 0o40755],
    [4, 4, 32],
    [13, 1, 2],
    [14, 2, first],
  ])
  disk.put(first * KIB, [
    [0, 2, 1],
    [16, 2, 1],
  ])
  disk.text(first * KIB + 2, '.')
  disk.text(first * KIB + 18, '..')
  return disk.bytes
}

/** Of a group, as large as the format wants one at least, the disk has the first part. */
const XFS = {
  block: 4096,
  blocks: IMAGE_BYTES / 4096,
  groupBlocks: 4096,
  bnobt: 1,
  cntbt: 2,
  inobt: 3,
  spare: 4,
  inodes: 8,
  log: 12,
  logBlocks: 704,
}
const XFS_INODE = { bytes: 256, count: 64, root: 128, taken: 3 }
const NONE = 0xffffffff

/** The heads of XFS's one allocation group, a sector of 512 bytes each: what is free, which inodes there are, blocks for its trees. */
function xfsGroup(disk: Bytes, free: number): void {
  const { blocks, bnobt, cntbt, inobt, spare } = XFS
  const { count, root, taken } = XFS_INODE
  const freeSpace = [
    [0, 4, 0x58414746],
    [4, 4, 1],
    [12, 4, blocks],
    [16, 4, bnobt],
    [20, 4, cntbt],
    [28, 4, 1],
    [32, 4, 1],
    [44, 4, 3],
    [48, 4, 4],
    [52, 4, free],
    [56, 4, free],
  ] as const
  disk.put(512, freeSpace, true)
  const inodes = [
    [0, 4, 0x58414749],
    [4, 4, 1],
    [12, 4, blocks],
    [16, 4, count],
    [20, 4, inobt],
    [24, 4, 1],
    [28, 4, count - taken],
    [32, 4, root],
    [36, 4, NONE],
  ] as const
  disk.put(1024, inodes, true)
  for (let bucket = 0; bucket < 64; bucket++) disk.put(1024 + 40, [[4 * bucket, 4, NONE]])
  for (let i = 0; i < 128; i++) disk.put(1536, [[4 * i, 4, i < 4 ? spare + i : NONE]], true)
}

/** A tree of one block with one record. */
function xfsTree(disk: Bytes, block: number, magic: number, record: readonly number[]): void {
  const at = block * XFS.block
  const head = [
    [0, 4, magic],
    [6, 2, 1],
    [8, 4, NONE],
    [12, 4, NONE],
  ] as const
  disk.put(at, head, true)
  record.forEach((word, i) => disk.put(at + 16, [[4 * i, 4, word]], true))
}

/** All of the first inodes are there; only the root and two that the format wants (for disks with a real-time part) are taken. */
function xfsInodes(disk: Bytes): void {
  const { bytes, count, root, taken } = XFS_INODE
  for (let i = 0; i < count; i++) {
    const at = XFS.inodes * XFS.block + i * bytes
    const plain = [
      [0, 2, 0x494e],
      [4, 1, 2],
      [96, 4, NONE],
    ] as const
    disk.put(at, plain, true)
    if (i >= taken) continue
    const used = [
      [2, 2, i === 0 ? 0o40755 : 0o100000],
      [5, 1, i === 0 ? 1 : 2],
      [16, 4, i === 0 ? 2 : 1],
      [60, 4, i === 0 ? 6 : 0],
      [83, 1, 2],
    ] as const
    disk.put(at, used, true)
  }
  // A directory in its inode: no entries, and who is above it.
  disk.put(XFS.inodes * XFS.block + 100, [[2, 4, root]], true)
}

/** XFS, version 4 of the format, whose parts have no sums: fs/xfs/libxfs/xfs_format.h. A log of zeros is one that was never used. */
function xfs(): Uint8Array {
  const { block, blocks, groupBlocks, bnobt, cntbt, inobt, log, logBlocks } = XFS
  const { bytes, count, root, taken } = XFS_INODE
  const disk = new Bytes(blocks * block)
  const first = log + logBlocks
  const free = blocks - first
  const superblock = [
    [0, 4, 0x58465342],
    [4, 4, block],
    [12, 4, blocks],
    [32, 4, 0x64727670],
    [52, 4, log],
    [60, 4, root],
    [68, 4, root + 1],
    [76, 4, root + 2],
    [80, 4, 1],
    [84, 4, groupBlocks],
    [88, 4, 1],
    [96, 4, logBlocks],
    [100, 2, 0xb4a4],
    [102, 2, 512],
    [104, 2, bytes],
    [106, 2, block / bytes],
    [120, 1, 12],
    [121, 1, 9],
    [122, 1, 8],
    [123, 1, 4],
    [124, 1, 12],
    [127, 1, 25],
    [132, 4, count],
    [140, 4, count - taken],
    [148, 4, free + 4],
    [180, 4, 2],
    [196, 4, 1],
    [200, 4, 0xa],
    [204, 4, 0xa],
  ] as const
  disk.put(0, superblock, true)
  xfsGroup(disk, free)
  xfsTree(disk, bnobt, 0x41425442, [first, free])
  xfsTree(disk, cntbt, 0x41425443, [first, free])
  xfsTree(disk, inobt, 0x49414254, [root, count - taken, NONE, NONE - ((1 << taken) - 1)])
  xfsInodes(disk)
  return disk.bytes
}

/** By the name under which a file system registers. */
export const IMAGES: Readonly<Record<string, () => Uint8Array>> = {
  ext2: () => ext(2),
  ext3: () => ext(3),
  ext4: () => ext(4),
  vfat: fat,
  msdos: fat,
  minix,
  xfs,
}
