import test from 'ava'
import { UsageError } from '../../../pipeline/errors.ts'
import { globPattern, parseSet, selectModules, setNames, similarNames } from '../../../pipeline/kbuild/select.ts'

const modules = [
  {
    name: 'ne2k-pci',
    path: 'drivers/net/ethernet/8390/ne2k-pci.ko',
    sources: ['drivers/net/ethernet/8390/ne2k-pci.c'],
  },
  {
    name: 'e1000',
    path: 'drivers/net/ethernet/intel/e1000/e1000.ko',
    sources: ['drivers/net/ethernet/intel/e1000/e1000_main.c', 'drivers/net/ethernet/intel/e1000/e1000_hw.c'],
  },
  {
    name: '8139too',
    path: 'drivers/net/ethernet/realtek/8139too.ko',
    sources: ['drivers/net/ethernet/realtek/8139too.c'],
  },
  { name: 'rtc-cmos', path: 'drivers/rtc/rtc-cmos.ko', sources: ['drivers/rtc/rtc-cmos.c'] },
]

const names = async (...selectors: string[]) => (await selectModules(modules, selectors)).map(({ name }) => name)

test('a name, with - and _ alike', async (t) => {
  t.deepEqual(await names('8139too'), ['8139too'])
  t.deepEqual(await names('ne2k_pci'), ['ne2k-pci'])
  t.deepEqual(await names('rtc-cmos.ko'), ['rtc-cmos'])
})

test('a path: directory, module or source', async (t) => {
  t.deepEqual(await names('drivers/net'), ['ne2k-pci', 'e1000', '8139too'])
  t.deepEqual(await names('drivers/net/ethernet/intel/e1000/'), ['e1000'])
  t.deepEqual(await names('drivers/net/ethernet/intel/e1000/e1000_hw.c'), ['e1000'])
  t.deepEqual(await names('drivers/rtc/rtc-cmos.ko'), ['rtc-cmos'])
})

test('a glob: * within a name, ** across directories', async (t) => {
  t.deepEqual(await names('drivers/net/ethernet/**'), ['ne2k-pci', 'e1000', '8139too'])
  t.deepEqual(await names('drivers/*/rtc-*.c'), ['rtc-cmos'])
  await t.throwsAsync(names('drivers/net/*'), { instanceOf: UsageError }, 'a star does not cross a directory')
})

test('all, several selectors, and each module once in the tree order', async (t) => {
  t.is((await names('all')).length, 4)
  t.deepEqual(await names('rtc-cmos', 'e1000', 'drivers/net/ethernet/intel/e1000'), ['e1000', 'rtc-cmos'])
})

test('a set leaves out what this tree lacks', async (t) => {
  t.deepEqual(await names('@demo'), ['e1000', '8139too'])
  t.true((await setNames()).includes('nic'))
})

test('a selector that names nothing is a usage error that helps', async (t) => {
  const wrong = await t.throwsAsync(names('8139to'), { instanceOf: UsageError })
  t.regex(wrong?.todo ?? '', /8139too/)
  const noSet = await t.throwsAsync(names('@nothing'), { instanceOf: UsageError })
  t.regex(noSet?.expected ?? '', /@demo/)
  await t.throwsAsync(names('drivers/nothing/**'), { instanceOf: UsageError })
})

test('a glob is anchored and quotes what is not a wildcard', (t) => {
  t.true(globPattern('a.c').test('a.c'))
  t.false(globPattern('a.c').test('abc'))
  t.true(globPattern('**/x').test('x'))
  t.true(globPattern('**/x').test('a/b/x'))
  t.false(globPattern('a?c').test('a/c'))
})

test('set files have comments', (t) => {
  t.deepEqual(parseSet('# head\n8139too # why\n\n e1000\n'), ['8139too', 'e1000'])
})

test('similar names: a slip or a part', (t) => {
  t.deepEqual(similarNames('e100', ['e1000', '8139too']), ['e1000'])
  t.deepEqual(similarNames('8193too', ['e1000', '8139too']), ['8139too'])
})
