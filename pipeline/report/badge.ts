/**
 * A badge for a README: a field for each kernel, with a tick where all modules are as far as asked and a cross where not.
 * What a colour says is drawn and told in words too. Pure.
 */

import type { MatrixDocument } from '../matrix/types.ts'
import { attribute, content } from './junit.ts'
import { judged, shortName } from './verdict.ts'

/** Widths in Verdana at 11 pixels; `textLength` has every other font keep to them. */
const WIDE = /[mwMW@%]/
const NARROW = /[.,:;|!'ijlI ]/
const widthOf = (text: string): number =>
  [...text].reduce((sum, letter) => sum + (WIDE.test(letter) ? 10 : NARROW.test(letter) ? 4 : 7), 0)

const HEIGHT = 20
const PAD = 6
/** A tick or a cross, and the room after it. */
const MARK = 12

const TICK = 'm0 4 3 3 5-7'
const CROSS = 'm0 0 7 7m0-7-7 7'

interface Field {
  readonly text: string
  readonly colour: string
  readonly mark?: string
}

const field = (text: string, good: boolean): Field =>
  good ? { text, colour: '#1a7f37', mark: TICK } : { text, colour: '#b42318', mark: CROSS }

/** One field after the other; returns the drawing and how wide it became. */
function draw(fields: readonly Field[]): { readonly drawing: string; readonly width: number } {
  let x = 0
  const parts = fields.map(({ text, colour, mark }, i) => {
    const room = mark === undefined ? 0 : MARK
    const length = widthOf(text)
    const width = PAD * 2 + room + length
    const seam = i > 1 ? `<path d="M${x} 0v${HEIGHT}" stroke="#fff" stroke-opacity=".35"/>` : ''
    const sign =
      mark === undefined
        ? ''
        : `<path d="M${x + PAD} 6.5${mark}" fill="none" stroke="#fff" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`
    const said = `<text x="${x + PAD + room}" y="14" textLength="${length}" lengthAdjust="spacingAndGlyphs">${content(text)}</text>`
    const drawn = `<path d="M${x} 0h${width}v${HEIGHT}h-${width}z" fill="${colour}"/>${seam}${sign}${said}`
    x += width
    return drawn
  })
  return { drawing: parts.join('\n'), width: x }
}

/** On which kernels all modules reach the rung asked for. */
export function badge(all: readonly MatrixDocument[]): string {
  const { good, failing } = judged(all)
  const asked = all.filter((column) => good.includes(column) || failing.includes(column))
  const label: Field = { text: 'linux', colour: '#444' }
  const none: Field = { text: 'for none of these', colour: '#666' }
  const fields = asked.length === 0 ? [none] : asked.map((column) => field(shortName(column), good.includes(column)))
  const { drawing, width } = draw([label, ...fields])
  const said = describe(good, failing)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" role="img" aria-label="${attribute(`linux: ${said}`)}">
<title>${content(`linux: ${said}`)}</title>
<clipPath id="round"><rect width="${width}" height="${HEIGHT}" rx="3"/></clipPath>
<g clip-path="url(#round)" fill="#fff" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
${drawing}
</g>
</svg>
`
}

function describe(good: readonly MatrixDocument[], failing: readonly MatrixDocument[]): string {
  if (good.length === 0 && failing.length === 0) return 'for none of these'
  if (failing.length === 0) return good.map(shortName).join(' | ')
  const listed = failing.map(shortName).join(', ')
  return good.length === 0 ? `fails on ${listed}` : `${good.map(shortName).join(' | ')}, not ${listed}`
}
