/**
 * The compiler as Kbuild asks it: the same questions, which flags it takes, thousands of times in a tree, and each costs as
 * much as starting a compiler. A script stands in its place that remembers the answers.
 *
 * It lies in the view, and its path gets into what Kbuild keeps of a configuration: a view that was made without one is asked
 * without one.
 */

import { existsSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import * as path from 'node:path'

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** Kbuild compiles nothing in C (`cc-option` and its kin), and takes from it whether that was possible. */
const script = (compiler: string, memory: string): string => `#!/bin/sh
# The compiler, with a memory for questions that are asked of it again and again: which flags it takes, and its version.
cc=${quoted(compiler)}
IFS='
'
all="$*"
case "$all" in
--version) file=version ;;
*'-o
-') exec "$cc" "$@" ;;
*'-x
c
/dev/null
-o
'*)
	sum=$(printf %s "\${all%-o"$IFS"*}" | sha256sum)
	file=\${sum%% *}
	;;
*) exec "$cc" "$@" ;;
esac
answer=${quoted(memory)}/$file
case $file in
version)
	cat "$answer" 2>/dev/null && exit
	"$cc" "$@" >"$answer.$$" && mv "$answer.$$" "$answer" && exec cat "$answer"
	exec "$cc" "$@"
	;;
esac
read -r status 2>/dev/null <"$answer" && exit "$status"
"$cc" "$@"
status=$?
# One that was killed has not answered.
case $status in
0 | 1) echo $status >"$answer.$$" && mv "$answer.$$" "$answer" ;;
esac
exit $status
`

const placeIn = (view: string): string => path.join(view, 'build', 'asked-cc')

/** Have this view ask through a memory: a directory for questions of one compiler and one tree, which may have answers. */
export async function placeAskedCompiler(view: string, cc: string, memory: string): Promise<void> {
  await fs.mkdir(memory, { recursive: true })
  await fs.writeFile(placeIn(view), script(cc, memory), { mode: 0o755 })
}

/** What this view asks: its own, or the compiler itself. */
export const askedCompiler = (view: string, cc: string): string => (existsSync(placeIn(view)) ? placeIn(view) : cc)
