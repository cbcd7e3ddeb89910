/** A header that appears where one of its name is looked for first is read; a result made before is not taken for the new one. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { searchPath } from '../../../pipeline/build/beside.ts'
import { compileContext, compileObject } from '../../../pipeline/build/objects.ts'
import type { Toolchain } from '../../../pipeline/toolchain/index.ts'
import { nativeRunner } from '../../../pipeline/toolchain/limits.ts'

const top = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-beside-'))
process.env['DRVPORT_CACHE'] = path.join(top, 'cache')
test.after.always(() => fs.rm(top, { recursive: true, force: true }))

/** Reads a.h from the first directory that has one, of the source's own and those of -I, as a compiler does, and says so. */
const COMPILER = String.raw`#!/bin/sh
dirs=
while [ $# -gt 0 ]; do
  case $1 in -I) dirs="$dirs $2"; shift;; -o) out=$2; shift;; -c) source=$2; shift;; esac
  shift
done
[ -n "$out" ] || exit 0
for dir in "$(dirname "$source")" $dirs; do
  [ -e "$dir/sub/a.h" ] && { read="$dir/sub/a.h"; break; }
done
echo "object: $source $read" > "$out.d"
printf '\0asm\1\0\0\0\0\011\007linking\2' > "$out"
`

/** A folder with a.c, a directory that is looked in first, and the tree, which has the header. */
async function scene(name: string, local: boolean) {
  const dir = path.join(top, name)
  const [folder, tree] = [path.join(dir, 'folder'), path.join(dir, 'tree')]
  const put = async (file: string, text = ''): Promise<string> => {
    await fs.mkdir(path.dirname(file), { recursive: true })
    await fs.writeFile(file, text)
    return file
  }
  const source = await put(path.join(folder, 'a.c'))
  const theirs = await put(path.join(tree, 'include/sub/a.h'))
  await fs.mkdir(path.join(folder, 'first'))
  const compiler = path.join(dir, 'cc')
  await fs.writeFile(compiler, COMPILER, { mode: 0o755 })
  const run = nativeRunner(process.env)
  const toolchain: Toolchain = {
    name: 'clang',
    version: '0',
    llvmMajor: 20,
    how: 'a stand-in',
    id: `stand-in ${name}`,
    width: 1,
    compile: (args, options) => run(compiler, args, options),
    archive: () => Promise.reject(new Error('not used')),
    link: () => Promise.reject(new Error('not used')),
    close: () => Promise.resolve(),
  }
  const roots = [
    { dir: folder, as: 'external/folder/', ...(local && { local }) },
    { dir: tree, as: '' },
  ]
  const job = { source, args: ['-I', path.join(folder, 'first'), '-I', path.join(tree, 'include')] }
  // A run each: what lies where is looked at once in a run.
  const compile = async () => {
    const { cached, inputs, ok } = await compileObject(compileContext(toolchain, roots), job)
    return [ok, cached, inputs.map(({ name: read }) => read)]
  }
  return { put, folder, theirs, compile }
}

const THEIRS = ['external/folder/a.c', 'include/sub/a.h']

test('a header that appears earlier on the search path of a folder is read', async (t) => {
  const { put, folder, compile } = await scene('first', true)
  t.deepEqual(await compile(), [true, false, THEIRS])
  t.deepEqual(await compile(), [true, true, THEIRS])
  const own = await put(path.join(folder, 'first/sub/a.h'))
  const first = ['external/folder/a.c', 'external/folder/first/sub/a.h']
  t.deepEqual(await compile(), [true, false, first])
  t.deepEqual(await compile(), [true, true, first])
  // One beside the source comes before that.
  await put(path.join(folder, 'sub/a.h'))
  const beside = ['external/folder/a.c', 'external/folder/sub/a.h']
  t.deepEqual(await compile(), [true, false, beside])
  t.deepEqual(await compile(), [true, true, beside], 'what it passes over there is known')
  await fs.rm(path.join(folder, 'sub/a.h'))
  t.deepEqual(await compile(), [true, true, first], 'and what was made before is found again')
  await fs.rm(own)
  t.deepEqual(await compile(), [true, true, THEIRS])
})

test('a file of another name is no reason to compile again', async (t) => {
  const { put, folder, compile } = await scene('other', true)
  await compile()
  await put(path.join(folder, 'first/sub/b.h'))
  await put(path.join(folder, 'elsewhere/sub/a.h'))
  t.deepEqual(await compile(), [true, true, THEIRS])
})

test('a tree does not change: nothing is looked for beside it', async (t) => {
  const { put, folder, compile } = await scene('sealed', false)
  await compile()
  await put(path.join(folder, 'first/sub/a.h'))
  t.deepEqual(await compile(), [true, true, THEIRS])
})

test('a search path is what the options say that begin one', (t) => {
  const args = ['-I', '/a', '-I/b/', '-isystem', '/c', '-iquote/d', '-idirafter', '/e', '-include', '/f.h', '-I', '/a']
  t.deepEqual(searchPath(args), ['/a', '/b/', '/c', '/d', '/e'])
})
