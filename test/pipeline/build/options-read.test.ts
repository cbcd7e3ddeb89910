import test from 'ava'
import type { Input } from '../../../pipeline/build/input-table.ts'
import {
  contentByOptions,
  OPTIONS_HEADER,
  optionLines,
  optionsMentioned,
} from '../../../pipeline/build/options-read.ts'

const header = (text: string): Input => ({
  name: OPTIONS_HEADER,
  file: '/h',
  sha256: text,
  options: [],
  lines: optionLines(text),
})
const source = (text: string): Input => ({ name: 'a.c', file: '/a.c', sha256: text, options: optionsMentioned(text) })

const C = '#ifdef CONFIG_NET\n#endif\n#if IS_MODULE(CONFIG_USB)'

test('an option that nothing read mentions makes no difference', (t) => {
  const one = contentByOptions([source(C), header('#define CONFIG_NET 1\n')])
  const other = contentByOptions([source(C), header('#define CONFIG_I2C 1\n#define CONFIG_NET 1\n')])
  t.is(one, other)
})

test('one that is mentioned does, whether built in, a module, or a text', (t) => {
  const of = (text: string) => contentByOptions([source(C), header(text)])
  const all = [
    '',
    '#define CONFIG_NET 1\n',
    '#define CONFIG_NET "x"\n',
    '#define CONFIG_USB 1\n',
    '#define CONFIG_USB_MODULE 1\n',
  ]
  t.is(new Set(all.map(of)).size, all.length)
})

test('what is not held against a configuration is said to be so', (t) => {
  t.is(contentByOptions([source(C)]), undefined)
})

test('the sources count whole', (t) => {
  const options = header('#define CONFIG_NET 1\n')
  t.not(contentByOptions([source(C), options]), contentByOptions([source(`${C} `), options]))
})

test('who asks only whether an option is on is told no more', (t) => {
  const of = (text: string, mention: string) => contentByOptions([source(mention), header(text)])
  const [built, module] = ['#define CONFIG_USB 1\n', '#define CONFIG_USB_MODULE 1\n']
  const whether = 'IS_ENABLED(CONFIG_USB)'
  t.is(of(built, whether), of(module, whether))
  t.not(of(built, whether), of('', whether))
  t.is(of('#define CONFIG_USB "1"\n', whether), of('', whether), 'a text is not on')
  t.not(of(built, `${whether} CONFIG_USB`), of(module, `${whether} CONFIG_USB`), 'somebody else asks for more')
})
