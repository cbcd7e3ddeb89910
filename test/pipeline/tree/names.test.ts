import test from 'ava'
import { nameOffers } from '../../../pipeline/tree/catalogue.ts'
import { compareVersions, isPoint, parseTreeName, suiteOfName, upstreamOf } from '../../../pipeline/tree/names.ts'
import { parseSuiteOffers, type SuiteOffer } from '../../../pipeline/tree/suites.ts'

test('a name is a release, a point release of it, or a suite', (t) => {
  t.deepEqual(parseTreeName('linux-6.1'), { release: 'linux-6.1' })
  t.deepEqual(parseTreeName('linux-6.1@6.1.176'), { release: 'linux-6.1', point: '6.1.176' })
  t.deepEqual(parseTreeName('linux-7.3@7.3~rc7'), { release: 'linux-7.3', point: '7.3~rc7' })
  for (const name of ['linux', 'linux-6', 'linux-6.1@', 'linux-6.1@latest', 'linux-6.1/x', 'freebsd'])
    t.is(parseTreeName(name), undefined, name)
  t.is(suiteOfName('linux-backports'), 'stable-backports')
  t.is(suiteOfName('linux-6.1'), undefined)
})

test('a point release is a version of the package, with or without what Debian adds', (t) => {
  t.is(upstreamOf('6.12.117-1~deb12u1'), '6.12.117')
  t.is(upstreamOf('7.3~rc7-1~exp1'), '7.3~rc7')
  t.true(isPoint('6.1.176', '6.1.176-1'))
  t.true(isPoint('6.1.176-1', '6.1.176-1'))
  t.false(isPoint('6.1.17', '6.1.176-1'))
})

test('versions sort as dpkg sorts them', (t) => {
  const order = [
    '5.10.9-1',
    '5.10.262-1',
    '6.12.117-1~deb12u1',
    '6.12.117-1',
    '6.12.117-1+b1',
    '6.12.117-2',
    '7.3~rc7-1~exp1',
    '7.3-1',
    '7.3.1-1',
  ]
  t.deepEqual(order.toReversed().toSorted(compareVersions), order)
  t.is(compareVersions('6.1.192-2', '6.1.192-2'), 0)
})

test('offers are the sources of a release, and say where their file is', (t) => {
  const text = `Package: linux-source-6.1
Version: 6.1.176-1
Filename: pool/main/l/linux/linux-source-6.1_6.1.176-1_all.deb
Size: 139
SHA256: aa

Package: linux-source
Version: 6.1.176-1
Filename: pool/main/l/linux/linux-source_6.1.176-1_all.deb
SHA256: bb

Package: linux-source-6.1
Version: 6.1.170-3
Status: install ok installed
`
  t.deepEqual(parseSuiteOffers(text, 'oldstable', 'http://debian'), [
    {
      package: 'linux-source-6.1',
      version: '6.1.176-1',
      suite: 'oldstable',
      url: 'http://debian/pool/main/l/linux/linux-source-6.1_6.1.176-1_all.deb',
      bytes: 139,
      sha256: 'aa',
    },
  ])
})

const offer = (release: string, version: string, suite: string): SuiteOffer => ({
  package: `linux-source-${release}`,
  version,
  suite,
  url: '',
  bytes: 1,
  sha256: version,
})

const OFFERS = [
  offer('6.1', '6.1.176-1', 'oldstable'),
  offer('6.1', '6.1.192-2', 'bookworm-security'),
  offer('6.1', '6.1.195-1', 'bookworm-security'),
  offer('6.12', '6.12.117-1', 'stable'),
  offer('6.12', '6.12.117-1', 'trixie-security'),
  offer('6.12', '6.12.117-1~deb12u1', 'bookworm-security'),
]

const named = (locked: ReadonlyMap<string, string>, here: readonly { name: string; version: string }[]) =>
  [...nameOffers(OFFERS, locked, here)].map(([name, offers]) => [name, offers.map(({ suite }) => suite)])

test('the plain name is the locked version; the others are named by theirs, and one source has one name', (t) => {
  t.deepEqual(named(new Map([['linux-6.1', '6.1.192-2']]), []), [
    ['linux-6.1@6.1.195', ['bookworm-security']],
    ['linux-6.1', ['bookworm-security']],
    ['linux-6.1@6.1.176', ['oldstable']],
    ['linux-6.12', ['stable', 'trixie-security']],
  ])
})

test('without a lock the plain name is the newest; what is here keeps its name', (t) => {
  t.deepEqual(
    named(new Map(), []).map(([name]) => name),
    ['linux-6.1', 'linux-6.1@6.1.192', 'linux-6.1@6.1.176', 'linux-6.12'],
  )
  t.deepEqual(
    named(new Map(), [{ name: 'linux-6.1', version: '6.1.176' }]).map(([name]) => name),
    ['linux-6.1@6.1.195', 'linux-6.1@6.1.192', 'linux-6.12'],
  )
})
