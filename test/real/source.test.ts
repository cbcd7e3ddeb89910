/** Source analysis on real drivers of the trees at hand. */
import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { analyzeSources, type Analysis, type TreeReader } from '../../pipeline/source/index.ts'
import { bringTree } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

const trees = [await bringTree(testTreeName, {})]

interface Opened {
  readonly reader: TreeReader
  analyze(...paths: string[]): Promise<Analysis>
}

function open(dir: string): Opened {
  const reader: TreeReader = { read: (path) => fs.readFile(join(dir, path), 'utf8').catch(() => undefined) }
  return {
    reader,
    async analyze(...paths) {
      const files = await Promise.all(paths.map(async (path) => ({ path, text: (await reader.read(path)) ?? '' })))
      return analyzeSources(files, reader)
    },
  }
}

const hex = (ids: (number | undefined)[]): string => ids.map((id) => id?.toString(16)).join(':')

for (const tree of trees) {
  const { analyze } = open(tree.dir)

  test(`${tree.name}: 8139too's ids, parameters, uses`, async (t) => {
    const file = 'drivers/net/ethernet/realtek/8139too.c'
    const a = await analyze(file)
    t.deepEqual(a.parseErrors, [])
    t.deepEqual(a.untranslatable, [])
    const ids = a.tables.flatMap((table) => table.entries.map((e) => e.id))
    t.true(ids.every((id) => id?.bus === 'pci'))
    const pairs = ids.map((id) => (id && 'device' in id ? hex([id.vendor, id.device]) : ''))
    t.is(pairs[0], '10ec:8139')
    t.true(pairs.includes('1113:1211') && pairs.length > 20)
    t.deepEqual(
      a.params.map((p) => p.name),
      ['use_io', 'multicast_filter_limit', 'media', 'full_duplex', 'debug'],
    )
    t.deepEqual([a.buses, a.classes], [['pci'], ['net']])
    const use = a.uses.find((u) => u.name === 'pci_enable_device')
    const text = (await fs.readFile(join(tree.dir, file), 'utf8')).split('\n')
    t.regex(text[(use?.places[0]?.line ?? 1) - 1] ?? '', /pci_enable_device/)
  })

  test(`${tree.name}: e1000's parameters come out of its own macro`, async (t) => {
    const dir = 'drivers/net/ethernet/intel/e1000'
    const a = await analyze(
      `${dir}/e1000_main.c`,
      `${dir}/e1000_hw.c`,
      `${dir}/e1000_ethtool.c`,
      `${dir}/e1000_param.c`,
    )
    t.deepEqual(a.parseErrors, [])
    t.true(a.params.some((p) => p.name === 'TxDescriptors' && p.array && p.file.endsWith('e1000_param.c')))
    const ids = a.tables[0]?.entries.map((e) => (e.id && 'device' in e.id ? e.id.device : 0)) ?? []
    t.true(ids.includes(0x100e), '82540EM')
    t.false(a.uses.some((u) => u.name.startsWith('e1000_') && u.called && !/_(io|rep)$/.test(u.name)))
  })

  test(`${tree.name}: mii's exports are found with their marks`, async (t) => {
    const a = await analyze('drivers/net/mii.c')
    t.true(a.exports.some((e) => e.symbol === 'mii_link_ok' && !e.gplOnly))
    t.deepEqual(a.metadata.licenses, ['GPL'])
  })

  test(`${tree.name}: nearly all of real driver code parses, and none of it fails`, async (t) => {
    const dirs = ['drivers/net/ethernet/realtek', 'drivers/net/ethernet/amd', 'drivers/rtc', 'drivers/watchdog']
    let files = 0
    const broken: string[] = []
    for (const dir of dirs) {
      const names = existsSync(join(tree.dir, dir)) ? await fs.readdir(join(tree.dir, dir)) : []
      for (const name of names.filter((n) => n.endsWith('.c'))) {
        files++
        const a = await analyze(`${dir}/${name}`)
        if (a.parseErrors.some((e) => e.file.endsWith('.c'))) broken.push(`${dir}/${name}`)
      }
    }
    t.log(`${files} files, with parse errors: ${broken.join(' ')}`)
    t.true(files > 200)
    t.true(broken.length < files * 0.03, broken.join('\n'))
  })
}
