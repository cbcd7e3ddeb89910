import test from 'ava'
import { exportsIn } from '../../../pipeline/kbuild/exports.ts'

test('exports are found in all spellings', (t) => {
  const text = `
int a(void) { return 0; }
EXPORT_SYMBOL(a);
EXPORT_SYMBOL_GPL( b );
EXPORT_SYMBOL_NS_GPL(c, SPACE);
EXPORT_SYMBOL_NS(d, SPACE);
EXPORT_PER_CPU_SYMBOL_GPL(e);
EXPORT_TRACEPOINT_SYMBOL_GPL(f);
EXPORT_SIMPLE_DEV_PM_OPS(g, suspend, resume);
/* not one: MY_EXPORT_SYMBOL(h) */
#define WRAP(x) EXPORT_SYMBOL(x)
`
  t.deepEqual(
    exportsIn(text).map(({ symbol, gplOnly }) => [symbol, gplOnly]),
    [
      ['a', false],
      ['b', true],
      ['c', true],
      ['d', false],
      ['e', true],
      ['__tracepoint_f', true],
      ['g', false],
    ],
  )
})

test('text without exports costs nothing', (t) => {
  t.deepEqual(exportsIn('int main(void) { return 0; }'), [])
})
