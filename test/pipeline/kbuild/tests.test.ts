import test from 'ava'
import { includedSources, isTest } from '../../../pipeline/kbuild/tests.ts'

const NONE = (): boolean => false
const ALL = (): boolean => true

test('a suite is a test wherever it is, if the configuration has it compiled', (t) => {
  const suite = 'static struct kunit_suite s = { };\nkunit_test_suite(s);\n'
  t.true(isTest('drivers/clk/clk-gate_test.ko', [suite], NONE))
  t.true(isTest('drivers/mmc/host/sdhci.ko', ['int x;', suite], NONE))
  const perhaps = `#ifdef CONFIG_X_TEST\n${suite}#endif\n`
  t.false(isTest('drivers/mmc/host/sdhci.ko', [perhaps], NONE))
  t.true(isTest('drivers/mmc/host/sdhci.ko', [perhaps], ALL))
  t.false(isTest('lib/kunit/kunit.ko', ['/* kunit_test_suite(s) registers one */\n'], NONE))
})

test('what tests the kernel itself is known by its name, a driver with such a name is not', (t) => {
  for (const ko of ['lib/test_bitmap.ko', 'lib/test-kstrtox.ko', 'fs/unicode/utf8-selftest.ko', 'mm/dmapool_test.ko'])
    t.true(isTest(ko, [''], NONE), ko)
  t.true(isTest('drivers/base/test/test_async_driver_probe.ko', [''], NONE))
  for (const ko of ['drivers/mmc/core/mmc_test.ko', 'drivers/misc/pci_endpoint_test.ko', 'lib/crc7.ko'])
    t.false(isTest(ko, [''], NONE), ko)
})

test('C files that a source includes, under options that are on', (t) => {
  const text = '#include <linux/x.h>\n#ifdef CONFIG_A\n#include "x-test.c"\n#endif\n#include "common.c"\n'
  t.deepEqual(includedSources(text, ALL), ['x-test.c', 'common.c'])
  t.deepEqual(includedSources(text, NONE), ['common.c'])
})
