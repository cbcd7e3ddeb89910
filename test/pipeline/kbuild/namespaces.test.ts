import test from 'ava'
import { isOpen, whoMayUse } from '../../../pipeline/kbuild/namespaces.ts'

test('a namespace is open to who imports it, one of modules to those of these names', (t) => {
  t.true(isOpen('DMA_BUF', 'acme', new Set(['CRYPTO', 'DMA_BUF'])))
  t.false(isOpen('DMA_BUF', 'acme', new Set(['DMA'])))
  t.true(isOpen('module:kvm, kvm-*', 'kvm_intel', new Set()))
  t.true(isOpen('module:kvm-amd', 'kvm_amd', new Set()))
  t.false(isOpen('module:kvm', 'kvm_intel', new Set(['kvm'])))
  t.is(whoMayUse('DMA_BUF'), 'is exported in the namespace DMA_BUF, which MODULE_IMPORT_NS has to name')
  t.is(whoMayUse('module:kvm, kvm-*'), 'is exported to kvm, kvm-* only')
})
