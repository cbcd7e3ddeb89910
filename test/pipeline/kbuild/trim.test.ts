/** Which options build drivers in for hardware that is not there. */
import test from 'ava'
import { optionsIn, trimFragment } from '../../../pipeline/kbuild/trim.ts'

const MAKEFILE = `
obj-$(CONFIG_COMMON_CLK)	+= clk.o clk-divider.o
obj-$(CONFIG_CLK_BOARD)	+= clk-board.o \\
	clk-board-more.o
obj-$(CONFIG_VENDOR)	+= vendor/
obj-y += always.o
`

test('an option is found by its plain lines, continued ones too', (t) => {
  t.deepEqual(optionsIn(MAKEFILE, undefined), ['COMMON_CLK', 'CLK_BOARD', 'VENDOR'])
})

test('with names given, only lines of nothing else count', (t) => {
  t.deepEqual(optionsIn(MAKEFILE, /^clk-/), ['CLK_BOARD'])
  t.deepEqual(optionsIn(MAKEFILE, /\/$/), ['VENDOR'])
})

test('the answers switch them off', (t) => {
  t.is(trimFragment(['A', 'B_C']), '# CONFIG_A is not set\n# CONFIG_B_C is not set\n')
})
