import test from 'ava'
import { evaluate } from '../../../pipeline/source/constant.ts'
import { resolveConditionals } from '../../../pipeline/source/conditionals.ts'
import { definesIn, expand } from '../../../pipeline/source/macros.ts'
import { stringValue, textOf, tokenize } from '../../../pipeline/source/tokens.ts'

const expanded = (defines: string, text: string): string => {
  const macros = definesIn(defines)
  return textOf(expand(tokenize(text), (name) => macros.get(name)))
}

for (const [defines, text, result] of [
  ['#define A 1', 'A + B', '1+B'],
  ['#define F(x) (x)', 'F(2)', '(2)'],
  ['#define F(x) x##_ID', 'F(ACME)', 'ACME_ID'],
  ['#define F(x) #x', 'F(a b)', '"ab"'],
  ['#define F(x, ...) g(x, ##__VA_ARGS__)', 'F(1, 2, 3)', 'g(1,2,3)'],
  ['#define F(args...) g(args)', 'F(1, 2)', 'g(1,2)'],
  ['#define A B\n#define B A', 'A', 'A'],
  ['#define F(x) x', 'F', 'F'],
  ['#define LONG 1 + \\\n  2 /* why */', 'LONG', '1+2'],
  ['#define V(v) P_##v\n#define P_X 7', 'V(X)', '7'],
] as const)
  test(`${text} with ${JSON.stringify(defines)}`, (t) => t.is(expanded(defines, text), result))

for (const [text, value] of [
  ['0x10 + 010 + 0b11', 27n],
  ['~0', -1n],
  ['(kernel_ulong_t)3 << 2', 12n],
  ['1 ? 2 : 3', 2n],
  ["'A'", 65n],
  ['!(1 && 0) || 5 % 0', undefined],
  ['1 +', undefined],
  ['f(1)', undefined],
  ['2 * 3 == 6', 1n],
  ['7u & 0x3UL', 3n],
] as const)
  test(`${text} is ${value}`, (t) => t.is(evaluate(tokenize(text)), value))

test('escapes in strings', (t) => {
  t.is(stringValue('"a\\n\\x41\\101\\"\\\\"'), 'a\nAA"\\')
})

test('conditionals keep positions', (t) => {
  const text = '#ifdef CONFIG_A\nyes\n#elif defined(B)\nb\n#else\nno\n#endif\n#if 0\nx\n#else\ny\n#endif\nend\n'
  const on = resolveConditionals(text, (name) => name === 'CONFIG_A').text
  t.is(on.length, text.length)
  t.deepEqual(
    on.split('\n').map((line) => line.trim()),
    ['', 'yes', '', '', '', '', '', '', '', '', 'y', '', 'end', ''],
  )
  const off = resolveConditionals(text, () => false).text
  t.deepEqual(off.match(/\w+/g), ['no', 'y', 'end'])
})
