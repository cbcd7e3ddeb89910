/**
 * Files that take the address of a label (`&&here`), for which code for wasm has none and LLVM's back end stops.
 *
 * Where nobody jumps to it, such an address is a mark: which check failed, who took a lock. So the front end's own text of the program
 * is taken (LLVM's IR), the address of the function is put where that of a label in it stood, and the back end goes on from there:
 * it is not NULL, and says as much as a program counter without its last digits. Where a program does jump to it, nothing is done.
 */
import * as fs from 'node:fs/promises'
import * as path from 'node:path'
import type { RunOptions, Toolchain, ToolRun } from '../toolchain/types.ts'

/** What the back end says of it. */
const SAID = /WebAssembly hasn't implemented computed gotos/

export const takesLabel = (said: string): boolean => SAID.test(said)

const JUMPS = 'it jumps to the address of a label: '

/** What the compiler said where this is no way around it, either. */
export const withoutWay = (said: string): string => said.replaceAll(new RegExp(SAID, 'g'), `${JUMPS}$&`)

/** Said of a file before it was tried this way. */
export const isUntried = (said: string): boolean => takesLabel(said) && !said.includes(JUMPS)

const NAME = String.raw`[@%](?:"[^"]*"|[\w$.-]+)`
const ADDRESS = new RegExp(String.raw`blockaddress\((${NAME}), ${NAME}\)`, 'g')

/** IR with functions in the place of their labels; undefined where it would be another program, or there are none. */
export function withoutLabels(ir: string): string | undefined {
  if (/^\s*indirectbr /m.test(ir)) return undefined
  const made = ir.replaceAll(ADDRESS, '$1')
  return made === ir || made.includes('blockaddress(') ? undefined : made
}

/** Flags that nothing is left to do for, and some that would be taken for more inputs. */
function forBackEnd(args: readonly string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!
    if (/^-(include|include-pch|isystem|idirafter|iquote|I|D|U|x)$/.test(arg)) i++
    else if (!/^-(I|D|U|isystem|idirafter|iquote|std=|nostdinc|W)/.test(arg)) kept.push(arg)
  }
  return kept
}

/** Compile `source` in two steps; `output` asks for the list of what was read. Undefined where that is not the way. */
export async function compileByIr(
  toolchain: Toolchain,
  args: readonly string[],
  { source, object, output }: { readonly source: string; readonly object: string; readonly output: readonly string[] },
  options: RunOptions,
): Promise<ToolRun | undefined> {
  const file = path.join(path.dirname(object), 'labels.ll')
  const front = await toolchain.compile([...args, ...output, '-S', '-emit-llvm', source, '-o', file], options)
  const ir = front.ok ? withoutLabels(await fs.readFile(file, 'utf8')) : undefined
  if (ir === undefined) return undefined
  await fs.writeFile(file, ir)
  // The front end's half of the work, with all that optimises, is done.
  const rest = ['-Wno-unused-command-line-argument', '-Xclang', '-disable-llvm-passes']
  const back = await toolchain.compile([...forBackEnd(args), ...rest, '-c', file, '-o', object], options)
  await fs.rm(file, { force: true })
  return back.ok ? { ...back, output: front.output, ms: front.ms + back.ms } : undefined
}
