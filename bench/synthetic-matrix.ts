/**
 * A matrix as large as a whole tree's, made from a seed: for timing the page and for its tests, where what it says must
 * be the same every time and nobody wants to compile a tree first. Never a result: nothing publishes it.
 */
import { summarize } from '../pipeline/matrix/summary.ts'
import type { Rung } from '../pipeline/ladder.ts'
import type { MatrixDocument, MatrixRow, Reason } from '../pipeline/matrix/types.ts'

/** Uniform numbers in [0, 1) from a seed: xorshift32. */
function randomFrom(seed: number): () => number {
  let state = (seed * 2654435761) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 4294967296
  }
}

/** Folder, weight, class, bus: roughly how modules spread over a tree. */
const FOLDERS: readonly (readonly [dir: string, weight: number, cls: string, bus: string])[] = [
  ['drivers/net/ethernet', 420, 'net', 'pci'],
  ['drivers/net/wireless', 330, 'net', 'usb'],
  ['drivers/net/phy', 90, 'phy', 'mdio'],
  ['drivers/media/i2c', 260, 'video', 'i2c'],
  ['drivers/media/usb', 240, 'video', 'usb'],
  ['drivers/iio', 420, 'iio', 'i2c'],
  ['drivers/hwmon', 230, 'hwmon', 'i2c'],
  ['drivers/gpu/drm', 340, 'drm', 'pci'],
  ['drivers/input', 300, 'input', 'usb'],
  ['drivers/hid', 160, 'hid', 'hid'],
  ['drivers/usb', 360, 'usb', 'usb'],
  ['drivers/scsi', 160, 'scsi', 'pci'],
  ['drivers/mtd', 120, 'mtd', 'platform'],
  ['drivers/rtc', 150, 'rtc', 'i2c'],
  ['drivers/regulator', 190, 'regulator', 'i2c'],
  ['drivers/clk', 210, '', 'platform'],
  ['drivers/pinctrl', 170, '', 'platform'],
  ['drivers/gpio', 150, 'gpio', 'platform'],
  ['sound/soc', 700, 'sound', 'i2c'],
  ['sound/pci', 170, 'sound', 'pci'],
  ['sound/usb', 40, 'sound', 'usb'],
  ['net/netfilter', 260, '', ''],
  ['net/sched', 70, '', ''],
  ['fs', 220, '', ''],
  ['crypto', 160, '', ''],
  ['lib', 90, '', ''],
]

const VENDORS = ['realtek', 'intel', 'broadcom', 'marvell', 'qualcomm', 'ti', 'nxp', 'maxim', 'analog', 'st', 'cirrus']
const VERBS = ['register', 'unregister', 'alloc', 'free', 'get', 'put', 'read', 'write', 'enable', 'disable', 'init']
const NOUNS = ['device', 'bus', 'client', 'regmap', 'queue', 'page', 'skb', 'clk', 'gpio', 'irq', 'key', 'node', 'vma']
const LICENSES = ['GPL', 'GPL v2', 'Dual BSD/GPL', 'Dual MIT/GPL']
const SPDX = ['GPL-2.0-only', 'GPL-2.0-or-later', 'GPL-2.0-only OR BSD-3-Clause', 'MIT']
const GROUPS = ['mmio', 'pci', 'dma', 'irq', 'time', 'sched', 'log', 'net', 'wasi', 'pio']

const hex = (random: () => number, digits: number): string =>
  Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('')

interface Pools {
  readonly symbols: readonly string[]
  readonly imports: readonly string[]
}

function makePools(random: () => number): Pools {
  const names = new Set<string>()
  while (names.size < 4200) {
    const pick = (words: readonly string[]) => words[Math.floor(random() * words.length)]!
    names.add(
      `${pick(['', '__', 'devm_', 'snd_soc_', 'usb_', 'of_'])}${pick(NOUNS)}_${pick(VERBS)}_${names.size % 900}`,
    )
  }
  return { symbols: [...names], imports: GROUPS.flatMap((group) => VERBS.map((verb) => `${group}.${verb}`)) }
}

/** Distinct members of a pool, the first ones much oftener, sorted. */
function someOf(pool: readonly string[], n: number, random: () => number): string[] {
  const chosen = new Set<string>()
  for (let i = 0; i < n; i++) chosen.add(pool[Math.floor(random() ** 3 * pool.length)]!)
  return [...chosen].toSorted()
}

function outcome(random: () => number): readonly [Rung, Reason | ''] {
  const at = random()
  if (at < 0.002) return ['parse', 'compile-error']
  if (at < 0.003) return ['parse', 'timeout']
  if (at < 0.62) return ['compile', 'unresolved-symbol']
  if (at < 0.63) return ['link', 'refused']
  return ['verify', '']
}

function makeRow(i: number, random: () => number, { symbols, imports }: Pools): MatrixRow {
  const total = FOLDERS.reduce((sum, [, weight]) => sum + weight, 0)
  let at = random() * total
  const [dir, , cls, bus] = FOLDERS.find(([, weight]) => (at -= weight) < 0) ?? FOLDERS[0]!
  const vendor = VENDORS[Math.floor(random() * VENDORS.length)]!
  const module = `${vendor.slice(0, 3)}${dir.slice(-4).replace('/', '_')}${i}`
  const folder = dir.startsWith('drivers/') || dir.startsWith('sound/') ? `${dir}/${vendor}` : dir
  const [rung, reason] = outcome(random)
  const missing = reason === 'unresolved-symbol' ? someOf(symbols, 1 + Math.floor(random() ** 2 * 90), random) : []
  const source = `${folder}/${module}.c`
  const line = 1 + Math.floor(random() * 3000)
  const message = `call to undeclared function '${symbols[i % symbols.length]}'`
  const failed = reason === 'compile-error'
  const verified = rung === 'verify'
  const details: Partial<Record<Reason | '', string>> = {
    'unresolved-symbol': `${missing[0]} and ${missing.length - 1} more`,
    'compile-error': `${source}:${line}: ${message}`,
    timeout: `compile of ${source} after 120 s`,
    refused: `import env.${symbols[i % 50]}`,
  }
  return {
    module,
    path: `${folder}/${module}.ko`,
    rung,
    reason,
    detail: details[reason] ?? '',
    ms: { compile: Math.floor(random() * 4000), link: Math.floor(random() * 300) },
    buses: bus === '' ? [] : [bus],
    classes: cls === '' ? [] : [cls],
    licenses: [LICENSES[Math.floor(random() ** 2 * LICENSES.length)]!],
    spdx: [SPDX[Math.floor(random() ** 2 * SPDX.length)]!],
    gplOnly: someOf(symbols.slice(0, 900), Math.floor(random() * 25), random),
    missing,
    pretends: random() < 0.1 ? someOf(symbols, 3, random) : [],
    traps: random() < 0.2 ? someOf(symbols, 6, random) : [],
    imports: verified ? someOf(imports, 30, random) : [],
    capabilities: verified ? someOf(GROUPS, 6, random) : [],
    diagnostics: failed
      ? [{ file: source, line, message, source: `\tret = ${symbols[i % symbols.length]}(dev);` }]
      : [],
    sources: 1 + Math.floor(random() * 12),
    changedBytes: 0,
    ...(verified && { wasm: { sha256: hex(random, 64), bytes: 20_000 + Math.floor(random() * 400_000) } }),
  }
}

/** `count` rows; the same arguments give the same document. */
export function syntheticMatrix(count = 8963, seed = 1): MatrixDocument {
  const random = randomFrom(seed)
  const pools = makePools(random)
  const rows = Array.from({ length: count }, (_, i) => makeRow(i, random, pools)).toSorted((a, b) =>
    a.path < b.path ? -1 : 1,
  )
  return {
    schema: 'drvport.matrix/1',
    tree: { name: 'synthetic', version: `seed ${seed}` },
    toolchain: { name: 'none', version: '0' },
    drvport: '0.0.0',
    selectors: ['all'],
    until: 'verify',
    seed,
    interrupted: false,
    summary: summarize(rows),
    rows,
    ms: 0,
  }
}

/** What a later run might say: some rows up, some down, some with another detail, some gone, some new. */
export function laterMatrix(before: MatrixDocument, seed = 2): MatrixDocument {
  const random = randomFrom(seed)
  const rows = before.rows.flatMap((row): MatrixRow[] => {
    const at = random()
    if (at < 0.01) return []
    if (at < 0.04 && row.rung === 'compile') return [{ ...row, rung: 'verify', reason: '', detail: '', missing: [] }]
    if (at < 0.06 && row.rung === 'verify') return [{ ...row, rung: 'compile', reason: 'timeout', detail: 'link' }]
    if (at < 0.07 && row.reason === 'unresolved-symbol')
      return [{ ...row, reason: 'timeout', detail: 'link', missing: [] }]
    if (at < 0.08 && row.detail !== '') return [{ ...row, detail: `${row.detail} (again)` }]
    if (at < 0.085) return [row, { ...row, module: `${row.module}_v2`, path: row.path.replace(/\.ko$/, '_v2.ko') }]
    return [row]
  })
  const sorted = rows.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return {
    ...before,
    tree: { ...before.tree, version: `later, seed ${seed}` },
    rows: sorted,
    summary: summarize(sorted),
  }
}
