/** A toolchain is what its programs are, byte for byte, wherever they lie. */
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import test from 'ava'
import { identityOf } from '../../../pipeline/toolchain/identity.ts'

const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-identity-'))
process.env['DRVPORT_CACHE'] = path.join(dir, 'cache')
// What a program is linked to is asked of this one: a program's library lies beside it.
process.env['PATH'] = path.join(dir, 'bin')
test.after.always(() => fs.rm(dir, { recursive: true, force: true }))

const LDD = `#!/bin/sh
set -- "$1" "\${1%/*}"
[ -e "$2/libLLVM.so.19" ] || exit 1
echo "	libLLVM.so.19 => $2/libLLVM.so.19 (0x1)"
[ -z "$LD_LIBRARY_PATH" ] || echo "	libclang-cpp.so => $LD_LIBRARY_PATH/libclang-cpp.so (0x2)"
echo "	libc.so.6 => $2/libc.so.6 (0x3)"
`

const put = async (file: string, text: string): Promise<string> => {
  const at = path.join(dir, file)
  await fs.mkdir(path.dirname(at), { recursive: true })
  await fs.writeFile(at, text, { mode: 0o755 })
  return at
}
test.before(() => put('bin/ldd', LDD))

const CC = '\x7fELF: a compiler'.padEnd(100_000)
const LD = '\x7fELF: a linker'.padEnd(100_000)
const toolchain = async (where: string, cc = CC, ld = LD) => [
  await put(`${where}/clang-19`, cc),
  await put(`${where}/wasm-ld-19`, ld),
]
const idOf = (programs: readonly string[]) => identityOf('clang 19.1.7', programs)

test('the same programs are the same toolchain wherever they lie, and others of its version are not', async (t) => {
  const one = await idOf(await toolchain('one'))
  t.regex(one, /^clang 19\.1\.7 [0-9a-f]{16}$/)
  t.is(await idOf(await toolchain('two')), one)
  t.not(await idOf(await toolchain('three', CC.replace('a', 'b'))), one)
  t.not(await idOf(await toolchain('four', CC, LD.replace('a', 'b'))), one)
  t.not(await idOf(await toolchain('five', LD, CC)), one)
})

test('a library of LLVM’s that does the work counts, one of the system does not', async (t) => {
  const at = async (where: string, llvm: string, libc: string) => {
    const programs = await toolchain(where)
    await put(`${where}/libLLVM.so.19`, llvm)
    await put(`${where}/libc.so.6`, libc)
    return idOf(programs)
  }
  const one = await at('linked', 'llvm', 'libc')
  t.is(await at('relinked', 'llvm', 'another libc'), one)
  t.not(await at('patched', 'llvm, patched', 'libc'), one)
  t.not(await idOf(await toolchain('plain')), one)
})

test('a script that starts a program is that program, with the libraries that the script names', async (t) => {
  const [cc, ld] = await toolchain('unpacked')
  await put('unpacked/libLLVM.so.19', 'llvm')
  const library = await put('lib/libclang-cpp.so', 'clang')
  const script = (name: string, file: string) =>
    put(`scripts/${name}`, `#!/bin/sh\nLD_LIBRARY_PATH='${path.dirname(library)}' exec '${file}' "$@"\n`)
  const scripts = [await script('clang-19', cc!), await script('wasm-ld-19', ld!)]
  const one = await idOf(scripts)
  await put('lib/libclang-cpp.so', 'clang, patched')
  t.not(await idOf(scripts), one)
  await put('lib/libclang-cpp.so', 'clang, as it was')
  await put('unpacked/clang-19', CC.replace('a', 'b'))
  t.not(await idOf(scripts), one)
})

test('a program that was replaced is another one, also where the new one has its name and size', async (t) => {
  const programs = await toolchain('replaced')
  const one = await idOf(programs)
  t.is(await idOf(programs), one)
  const next = await put('replaced/next', CC.replace('a', 'b'))
  const { atime, mtime } = await fs.stat(programs[0]!)
  await fs.utimes(next, atime, mtime)
  await fs.rename(next, programs[0]!)
  t.not(await idOf(programs), one)
})
