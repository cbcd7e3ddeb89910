/** Text of generated files: values into YAML, and lines that every system's jobs have in common. Pure. */

import type { CiPlan, Origin } from './types.ts'

/** Any text as a YAML scalar: what JSON quotes, YAML reads. */
export const scalar = (text: string): string => (/^[A-Za-z][\w.@/-]*$/.test(text) ? text : JSON.stringify(text))

export const list = (texts: readonly string[]): string => `[${texts.map(scalar).join(', ')}]`

/** One word of a shell. */
export const shellWord = (text: string): string =>
  /^[\w./:@+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

/** Where the jobs have drvport: outside of the checkout, so that it is no part of the driver's folder. */
export const HOME = '~/drvport'

/** Lines of shell that bring drvport there. */
export function bringing(origin: Origin): string[] {
  if (origin.kind === 'folder') return [`mv ${shellWord(origin.folder)} ${HOME}`]
  const { url, ref } = origin
  return [
    `git clone --quiet --filter=blob:none ${shellWord(url)} ${HOME}`,
    `git -C ${HOME} checkout --quiet ${shellWord(ref)}`,
  ]
}

/** A column, and a status of 1 where a module stays below the rung. */
export const COLUMN = `${HOME}/drvport matrix "$DRIVER" --tree "$TREE" --until "$UNTIL" --require "$UNTIL" --output "out/$TREE.json"`

/** All columns, and everything that is made of them. */
export const JOIN: readonly string[] = [
  `${HOME}/drvport matrix join columns/*.json --explain --require "$UNTIL"`,
  '--output out/matrix.json --report html=out/index.html --report badge=out/badge.svg',
  '--report markdown=out/summary.md --report comment=out/comment.md --report junit=out/junit.xml',
]

/** The image in which jobs run: Debian, from whose archive kernels and compilers come, with Node and git. */
export const IMAGE = 'node:24-bookworm'

export const heading = (system: string, { until }: CiPlan): string[] => [
  `# Does this driver reach \`${until}\` on these kernels, and if not, what changed? Written by \`drvport ci ${system}\`; change it`,
  '# as you like. One job a kernel makes a column (it is red where a module stays below), the last one makes a table of them.',
]
