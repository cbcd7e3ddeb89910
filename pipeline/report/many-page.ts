/**
 * The page of a matrix over several trees: one file, no server and no script. What is the same in neighbouring columns is
 * said once, across them. Pure.
 */

import { columnNames, differs, manyRows, type ManyRow, type MatricesDocument } from '../matrix/many.ts'
import { REASON_TEXTS } from '../matrix/reasons.ts'
import type { MatrixDocument, MatrixRow, Reason } from '../matrix/types.ts'
import { attribute, content } from './junit.ts'
import { outcomeOf, type Outcome } from './outcome.ts'
import { meant, passed, sentence } from './verdict.ts'

const STYLE = `:root{color-scheme:light dark;--bg:light-dark(#fff,#15181b);--raised:light-dark(#f5f6f7,#1c2024);--line:light-dark(#d8dce0,#31373d);--text:light-dark(#1b1f23,#e2e5e8);--muted:light-dark(#57606a,#9aa4ae);--good:light-dark(#17692f,#7fd49a);--bad:light-dark(#a1160c,#ff9f94);--goodbg:light-dark(#eaf6ed,#16291c);--badbg:light-dark(#fdeeec,#331b19)}
*{box-sizing:border-box}body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:90rem;padding:1.5rem 1rem 3rem;color:var(--text);background:var(--bg)}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .25rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.25rem 0}.muted,small{color:var(--muted)}code{font:.92em ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace}
.kernels{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.5rem;margin:1rem 0;padding:0;list-style:none}.kernels li{border:1px solid var(--line);border-radius:.4rem;padding:.5rem .7rem;background:var(--raised)}
.kernels b{display:block;font-size:1.1rem}.kernels small{display:block}.meter{display:block;height:.4rem;border-radius:.2rem;margin-top:.4rem;background:var(--bad)}.meter i{display:block;height:100%;background:var(--good)}.meter{overflow:hidden}
label{display:inline-flex;gap:.4rem;align-items:center;margin:.25rem 1rem .5rem 0}.scroll{overflow-x:auto}table{border-collapse:separate;border-spacing:0;width:100%;min-width:40rem}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
thead th{position:sticky;top:0;background:var(--bg);white-space:nowrap}tbody th{font-weight:600;overflow-wrap:anywhere;min-width:10rem}tbody th small{display:block;font-weight:400}td small{display:block;overflow-wrap:anywhere}
td.pass{color:var(--good)}td.fail{color:var(--bad);background:var(--badbg)}td.pass{background:var(--goodbg)}td.none{color:var(--muted)}td small{color:var(--text)}
body:has(#differing:checked) tr.alike,body:has(#failing:checked) tr.well{display:none}dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{font-weight:600}dd{margin:0}footer{margin-top:2rem;font-size:.9rem}
@media(max-width:40rem){dl{grid-template-columns:1fr}}@media print{tr{break-inside:avoid}.scroll{overflow:visible}thead th{position:static}}`

const SIGNS: Readonly<Record<Outcome, string>> = { pass: '✓', fail: '✗', error: '✗', skip: '–', miss: '?' }

/** What a cell says; equal ones beside each other become one. */
interface Cell {
  readonly kind: 'pass' | 'fail' | 'none'
  readonly head: string
  readonly more: string
}

function cellOf(row: MatrixRow | undefined, column: MatrixDocument | undefined): Cell {
  if (row === undefined || column === undefined) return { kind: 'none', head: 'not in this tree', more: '' }
  const outcome = outcomeOf(row, column.until)
  const title = row.reason === '' ? row.rung : (REASON_TEXTS[row.reason]?.title ?? row.reason)
  const patched = row.patches === undefined ? '' : `with ${row.patches.join(', ')}`
  const kind = outcome === 'pass' ? 'pass' : outcome === 'skip' ? 'none' : 'fail'
  return { kind, head: `${SIGNS[outcome]} ${title}`, more: row.detail === '' ? patched : row.detail }
}

const sameCell = (a: Cell, b: Cell): boolean => a.kind === b.kind && a.head === b.head && a.more === b.more

function cellsOf({ cells }: ManyRow, columns: readonly MatrixDocument[]): { cell: Cell; span: number }[] {
  const spans: { cell: Cell; span: number }[] = []
  cells.forEach((row, i) => {
    const cell = cellOf(row, columns[i])
    const last = spans.at(-1)
    // What is merely as it should be keeps a cell of its own: a column is read downwards, too.
    if (last !== undefined && cell.more !== '' && sameCell(last.cell, cell)) last.span++
    else spans.push({ cell, span: 1 })
  })
  return spans
}

function line(row: ManyRow, columns: readonly MatrixDocument[]): string {
  const isWell = row.cells.every((cell, i) => cellOf(cell, columns[i]).kind !== 'fail')
  const classes = [...(differs(row) ? [] : ['alike']), ...(isWell ? ['well'] : [])]
  const cells = cellsOf(row, columns).map(({ cell: { kind, head, more }, span }) => {
    const wide = span > 1 ? ` colspan="${span}"` : ''
    return `<td class="${kind}"${wide}>${content(head)}${more === '' ? '' : `<small>${content(more)}</small>`}</td>`
  })
  const name = `<th scope="row">${content(row.module)}<small>${content(row.path.replace(/\/?[^/]*$/, ''))}</small></th>`
  return `<tr${classes.length > 0 ? ` class="${classes.join(' ')}"` : ''}>${name}${cells.join('')}</tr>`
}

function card(name: string, column: MatrixDocument): string {
  const [good, all] = [passed(column), meant(column)]
  const share = all === 0 ? 100 : Math.floor((100 * good) / all)
  const said = all === 0 ? 'no module is for it' : `${good} of ${all}`
  return `<li><b>${content(name)}</b><small>${content(column.tree.version)}</small>${content(said)}<span class="meter"><i style="width:${share}%"></i></span></li>`
}

/** Backquotes are code. */
const withCode = (text: string): string => content(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

/** What the words in the table mean, of those that are in it. */
function meanings(columns: readonly MatrixDocument[]): string {
  const reasons = new Set(columns.flatMap(({ rows }) => rows.flatMap(({ reason }) => (reason === '' ? [] : [reason]))))
  const told = [...reasons].toSorted().flatMap((reason: Reason) => {
    const text = REASON_TEXTS[reason]
    if (text === undefined) return []
    return [
      `<dt>${content(text.title)}</dt><dd>${withCode(text.means)} <span class="muted">${withCode(text.todo)}</span></dd>`,
    ]
  })
  return told.length === 0 ? '' : `<h2>What the words mean</h2><dl>${told.join('\n')}</dl>`
}

export function manyPage(document: MatricesDocument): string {
  const { columns } = document
  const names = columnNames(document)
  const rows = manyRows(document)
  const [first] = columns
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`
  const title = `${rows.length === 1 ? rows[0]?.module : count(rows.length, 'module')} on ${count(columns.length, 'kernel')}`
  const code = (text: string) => `<code>${content(text)}</code>`
  const said = sentence(document, { module: code, rung: code, strong: (text) => `<strong>${text}</strong>` })
  const heads = columns.map(
    (column, i) => `<th scope="col" title="${attribute(column.tree.version)}">${content(names[i] as string)}</th>`,
  )
  const filters =
    rows.length < 8
      ? ''
      : '<p><label><input type="checkbox" id="differing">only where kernels differ</label><label><input type="checkbox" id="failing">only what fails somewhere</label></p>'
  const tools =
    first === undefined
      ? ''
      : `drvport ${content(first.drvport)}, ${content(first.toolchain.name)} ${content(first.toolchain.version)}`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${content(title)}</title><style>${STYLE}</style></head><body>
<h1>${content(title)}</h1><p>${said}</p>
<ul class="kernels">${columns.map((column, i) => card(names[i] as string, column)).join('')}</ul>
${filters}<div class="scroll"><table><thead><tr><th scope="col">module</th>${heads.join('')}</tr></thead><tbody>
${rows.map((row) => line(row, columns)).join('\n')}
</tbody></table></div>
${meanings(columns)}
<footer class="muted">Made with ${tools}. <code>drvport explain MODULE --tree A,B</code> shows what changed between two kernels, with lines of both.</footer>
</body></html>
`
}
