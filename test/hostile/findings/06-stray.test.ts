/** Findings 6, 7, 12: what is asked again and again is kept in bounded room, and costs as much as it takes. */
import test from 'ava'
import { DriverEnded } from '../../../machine/driver.ts'
import { createDmaSpace, DEVICE_READS, MAP_FAILED, memoryBank } from '../../../hw/iommu.ts'
import { PageTable } from '../../../machine/reach/page-table.ts'
import { op, type Instruction } from '../../kernel/support.ts'
import { IRQS_OFF } from '../../machine/small/core.ts'
import { barOf, DMA_REGISTER, TestDevice } from '../../machine/support.ts'
import { counting, forever, keep, LAYERED, machineOf, say, script, times, witness, word, WORDS } from '../script.ts'

const [REGISTERS, SLOT, AT] = [WORDS + 64, WORDS + 68, WORDS + 72]
const setUp: readonly Instruction[] = [
  ...say('pci.config_write', [[op.local(1)], 4, 2, 7]),
  ...say('mmio.map', [barOf(op.local(1)), 0, 256], REGISTERS),
]
const never = { limit: 0, windowNs: 1e9, backoffNs: 1, backoffMaxNs: 1 }

test('finding 6: a device that strays for ever is written down so often and no more', async (t) => {
  const machine = machineOf({ restarts: never })
  const other = await witness(machine)
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const stray = say('mmio.write32', [[...word(REGISTERS), op.value(DMA_REGISTER), op.add], 0x5000])
  const pack = script('stray', [
    {
      name: 'probe',
      params: 2,
      result: true,
      locals: 4,
      body: [...setUp, ...keep(IRQS_OFF, 1), ...times(100_000, 2, stray), op.value(0)],
    },
  ])
  const driver = await machine.load(pack)
  await driver.bind(fn).catch(() => undefined)
  await machine.run(() => driver.dead, 1e9)
  t.is(driver.domain.fault?.kind, 'dma-stray')
  t.true(machine.board.dmaFaultCount >= 100_000)
  t.is(machine.board.dmaFaults.length, 256)
  t.is(machine.faults.length, 1)
  t.is(await other.ask(), undefined)
})

test('finding 7: a space of bus addresses full of holes is searched by windows, tells what that took, and not again in vain', (t) => {
  const space = createDmaSpace('dev')
  const bank = memoryBank(new ArrayBuffer(64 << 20))
  const windows: number[] = []
  // Off the start of a page, so that none is aligned to its order.
  const bytes = 4096 * 4 - 16
  for (let i = 0; i < 8000; i++) windows.push(space.map(bank, 16, bytes, DEVICE_READS))
  for (let i = 0; i < windows.length; i += 2) space.unmap(windows[i]!, bytes)
  const [fits, tooLarge] = [40 << 20, 60 << 20]
  t.is(space.map(bank, 16, fits, DEVICE_READS) === MAP_FAILED, false)
  t.is(space.map(bank, 16, tooLarge, DEVICE_READS), MAP_FAILED >>> 0)
  t.is(space.map(bank, 16, tooLarge, DEVICE_READS), MAP_FAILED >>> 0)
  t.is(space.map(bank, 16, tooLarge, DEVICE_READS), MAP_FAILED >>> 0)
  t.is(space.searched, 0, 'it knows')
})

test('finding 7: mapping for ever in a space full of holes costs the driver what it takes', async (t) => {
  const counted = counting()
  const machine = machineOf({ restarts: never, observer: counted.observer })
  const other = await witness(machine)
  const fn = machine.board.pci.plug((context) => new TestDevice(context))
  const map = (length: number, keep: number) => say('dma.map', [[op.local(1)], 0, length, 0], keep)
  const unmap = (length: number, at: number) => say('dma.unmap', [[op.local(1)], word(at), length])
  // A page mapped every fifty pages of the space, in which each search for more than that looks at every page.
  const holes = times(1337, 2, [...map(1, SLOT), ...map(188_000, AT), ...unmap(188_000, AT)])
  const searching = forever([...map(1, SLOT), ...unmap(1, SLOT), ...map(200_000, AT)])
  const pack = script('mapper', [
    { name: 'probe', params: 2, result: true, locals: 4, body: [...holes, ...searching, op.value(0)] },
  ])
  const driver = await machine.load(pack)
  await t.throwsAsync(driver.bind(fn), { instanceOf: DriverEnded })
  t.is(driver.domain.fault?.kind, 'endless-loop')
  // 60,000 pages a search, a unit for every four, of the 200 million units that one entry has.
  t.true(counted.calls.get('dma.map')! < 60_000, String(counted.calls.get('dma.map')))
  t.is(await other.ask(), undefined)
})

test('finding 12: a table full of mappings is searched by mappings, and not again in vain', (t) => {
  const table = new PageTable()
  const window = { start: 0, bytes: 1 << 30, read: () => 0, write: () => undefined }
  const made = Array.from({ length: 3000 }, () => table.map(window, 0, 80 * 4096)!)
  for (let i = 0; i < made.length; i += 2) table.unmap(made[i]!)
  t.truthy(table.map(window, 0, 60 * 4096))
  t.true(table.searched < 20_000)
  t.is(table.map(window, 0, 900 << 20), undefined)
  t.is(table.map(window, 0, 900 << 20), undefined)
  t.is(table.searched, 0)
  t.is(table.at(made[1]!.address), made[1])
  t.is(table.at(made[0]!.address)?.address === made[0]!.address && table.at(made[0]!.address) === made[0], false)
})

test('finding 12: mapping and unmapping shared memory for ever is work that is counted', async (t) => {
  const counted = counting()
  const machine = machineOf({ restarts: never, observer: counted.observer })
  const other = await witness(machine)
  const turn = [...say('mem.map', [word(SLOT), 0, 16 << 20], AT), ...say('mem.unmap', [word(AT)])]
  const pack = script(
    'remapper',
    [
      {
        name: 'init',
        params: 0,
        result: true,
        locals: 4,
        body: [...say('mem.create', [16 << 20], SLOT), ...forever(turn), op.value(0)],
      },
    ],
    { policy: LAYERED },
  )
  const error = await t.throwsAsync(machine.load(pack), { instanceOf: DriverEnded })
  t.is(error.fault?.kind, 'endless-loop')
  // 4096 pages a map, of the 200 million units that one entry has.
  t.true(counted.calls.get('mem.map')! < 50_000, String(counted.calls.get('mem.map')))
  t.is(await other.ask(), undefined)
})
