/**
 * The line table of a rewritten module, from that of the module it was made of: lines follow the code, and a call that
 * was inlined is a scope within its caller, as the compiler's own are. Backtraces stay what they were.
 */
import { encodeLines, readLines, type LineScope, type LineTable, type LineTableRow } from '../wasm/lines.ts'
import { lastAtMost } from '../wasm/offsets.ts'
import type { Rewritten } from './bodies.ts'

/** NAME.lines of the rewritten module. Throws WasmError when `lines` is no line table. */
export function relocateLines(lines: Uint8Array, rewritten: Rewritten): Uint8Array {
  const table = readLines(lines)
  const scopes: LineScope[] = [...table.scopes()]
  const scopeIn = inlinedScopes(table, rewritten, scopes)
  const rows: LineTableRow[] = []
  const add = (offset: number, row: number, call: number): void => {
    const scope = row < 0 ? 0 : scopeIn(table.rowScope[row]!, call)
    const [file, line] = row < 0 ? [0, 0] : [table.rowFile[row]!, table.rowLine[row]!]
    const last = rows.at(-1)
    if (last !== undefined && last.file === file && last.line === line && last.scope === scope) return
    if (last?.offset === offset) rows.pop()
    rows.push({ offset, file, line, scope })
  }
  for (const { at, from, length, call } of rewritten.pieces) {
    let row = lastAtMost(table.offsets, from)
    add(at, row, call)
    for (row++; row < table.offsets.length && table.offsets[row]! < from + length; row++)
      add(at + table.offsets[row]! - from, row, call)
  }
  return encodeLines({ codeStart: rewritten.codeStart, files: table.files, scopes }, rows)
}

/** Scopes of inlined code, made when first asked for and appended to `scopes`: parents come first. */
function inlinedScopes(
  table: LineTable,
  { calls }: Rewritten,
  scopes: LineScope[],
): (scope: number, call: number) => number {
  const made = new Map<string, number>()
  const inlined = ({ name, parent, callFile, callLine }: LineScope, scope: number, call: number): LineScope => {
    if (scope !== 0 && parent !== 0) return { name, parent: scopeIn(parent, call), callFile, callLine }
    // The function itself: now within whoever called it, at the line of the call.
    const { from, within } = calls[call]!
    const row = lastAtMost(table.offsets, from)
    if (row < 0) return { name, parent: 0, callFile: 0, callLine: 0 }
    const caller = scopeIn(table.rowScope[row]!, within)
    return { name, parent: caller, callFile: table.rowFile[row]!, callLine: table.rowLine[row]! }
  }
  const scopeIn = (scope: number, call: number): number => {
    if (call === 0) return scope
    const key = `${call} ${scope}`
    const known = made.get(key)
    if (known !== undefined) return known
    const index = scopes.push(inlined(table.scope(scope), scope, call)) - 1
    made.set(key, index)
    return index
  }
  return scopeIn
}
