/** What is read without yargs means what yargs reads in it, and ordinary lines are read without it. */
import test from 'ava'
import fc from 'fast-check'
import { commandsFor } from '../../cli/commands/index.ts'
import { parse } from '../../cli/parser.ts'
import { plainWords } from '../../cli/plain-words.ts'

const NAMES = [
  'run',
  'trace',
  'build',
  'list',
  'fetch',
  'ioreg',
  'optimize',
  'replay',
  'ci',
  'matrix',
  'demo',
  'explain',
]
const commands = new Map(await Promise.all(NAMES.map(async (name) => [name, (await commandsFor([name]))[0]!] as const)))

/** Yargs has some names once more in another spelling, and what is not given as undefined. */
const given = (argv: Record<string, unknown>, names: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => argv[name] !== undefined).map((name) => [name, argv[name]]))

async function agree(words: readonly string[]): Promise<{ plain: object; yargs: object } | undefined> {
  const command = commands.get(words[0]!)!
  const plain = plainWords(command, words)
  if (plain === undefined) return undefined
  const asked = await parse([command], words)
  const known = [...new Set([...Object.keys(plain), ...Object.keys(asked!.argv)])]
  const names = known.filter((name) => !['_', '$0', 'v'].includes(name) && !/[A-Z]/.test(name))
  return { plain: given(plain, names), yargs: given(asked!.argv, names) }
}

for (const line of [
  'run e1000',
  'run e1000 8139too --brief --frames 10',
  'run e1000=82540em --json --seed 7 --tree linux-6.12 -v -v',
  'run e1000 --param e1000.debug=16 --param e1000.TxDescriptors=256 --policy e1000.restarts=3',
  'run e1000 --record /tmp/a.rec --engine chromium --capture=a.pcap',
  'build e1000',
  'demo',
  'replay a.rec --until 12345',
  'trace e1000 --format chrome',
  'list drivers/net --json',
])
  test(`read without yargs, and the same: ${line}`, async (t) => {
    const both = await agree(line.split(' '))
    t.truthy(both)
    t.deepEqual(both!.plain, both!.yargs)
  })

/** What lines are made of, with a bar between: names, values of all kinds, and what is beyond. */
const WORDS = `e1000|e1000=82540em|8139too|7|0|007|1e3|0x10|-1|1.5|a b||'a'|"a"|true|false|--|-|-v|-vv|-h|--json|--no-json|--json=false
|--brief|--seed|--seed=3|--tree|--tree=a,b|--frames|--param|--param=a=b|--do|cat /proc/modules|--verbose|--toolchain|emcc|--check|kasan
|--config|--schedule.e1000.priority|--schedule|--cost|--postMortem|--post-mortem|--pace=real|--until|link|--report|json=a|--engine|node
|--force|--remove|--list|--profile|--profile=p|--hit|github`
const word = fc.constantFrom(...WORDS.replaceAll('\n', '').split('|'))

test('whatever is read without yargs is what yargs reads', async (t) => {
  let read = 0
  const line = fc.tuple(fc.constantFrom(...NAMES), fc.array(word, { maxLength: 6 }))
  await fc.assert(
    fc.asyncProperty(line, async ([name, more]) => {
      const both = await agree([name, ...more])
      if (both === undefined) return
      read++
      t.deepEqual(both.plain, both.yargs, [name, ...more].join(' '))
    }),
    { seed: 1, numRuns: 4000 },
  )
  t.true(read > 100, `${read} lines were read`)
})

for (const line of [
  'run',
  'run --help',
  'run e1000 --sed 7',
  'run e1000 --seed x',
  'run e1000 --seed 1 --seed 2',
  'build e1000 extra --no-json',
])
  test(`left to yargs: ${line}`, (t) => {
    const words = line.split(' ')
    t.is(plainWords(commands.get(words[0]!)!, words), undefined)
  })
