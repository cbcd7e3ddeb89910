import test from 'ava'
import { formatId } from '../../pipeline/list.ts'
import { ANY_ID } from '../../pipeline/package.ts'

const pci = { bus: 'pci', subvendor: ANY_ID, subdevice: ANY_ID, class: 0, classMask: 0 } as const

test('ids as people write them', (t) => {
  t.is(formatId({ ...pci, vendor: 0x10ec, device: 0x8139 }), '10ec:8139')
  t.is(formatId({ ...pci, vendor: 0x8086, device: ANY_ID }), '8086:*')
  t.is(
    formatId({ ...pci, vendor: 0x10ec, device: 0x8139, subvendor: 0x1186, subdevice: 0x1300 }),
    '10ec:8139 1186:1300',
  )
  t.is(
    formatId({ ...pci, vendor: ANY_ID, device: ANY_ID, class: 0x010802, classMask: 0xffffff }),
    'class 010802/ffffff',
  )
  t.is(formatId({ bus: 'usb', vendor: 0xbda, product: 0x8150 }), '0bda:8150')
  t.is(formatId({ bus: 'of', name: 'cdns,macb' }), 'of:cdns,macb')
})
