/** The table of what the lower half answers instead of the tree. */
import test from 'ava'
import { parseOverrides, readOverrides } from '../../../pipeline/core/overrides.ts'

const HEAD = 'kind\tname\tin\treason\n'

test('the table is read: files, symbols by file, flags', (t) => {
  const { files, symbols, flags } = parseOverrides(
    `${HEAD}file\tmm/a.c\t\tnothing walks page tables here\nsymbol\tf\tfs/b.c\tno program of a user's runs here\nflags\tc.c\t-DX -DY\ta linker script would define it\n`,
  )
  t.true(files.has('mm/a.c'))
  t.deepEqual([...symbols.get('fs/b.c')!], ['f'])
  t.deepEqual(flags.get('c.c'), ['-DX', '-DY'])
})

test('a row without a reason, with a debt for a reason, or of no kind is refused with its line', (t) => {
  for (const row of [
    'file\ta.c\t\tbecause',
    'file\ta.c\t\tthis is not done yet, sorry',
    'thing\ta\tb\ta reason long enough to be one',
  ])
    t.like(
      t.throws(() => parseOverrides(`${HEAD}${row}\n`)),
      { where: 'line 2' },
    )
})

test('the table that is there makes sense', async (t) => {
  const { files } = await readOverrides()
  t.true(files.has('mm/vmalloc.c'))
})
