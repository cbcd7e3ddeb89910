import test from 'ava'
import fc from 'fast-check'
import MarkdownIt from 'markdown-it'
import { diffMatrices } from '../../../pipeline/matrix/diff.ts'
import { code, markdown, markdownDiff, plain } from '../../../pipeline/report/markdown.ts'
import { oneLine } from '../../../pipeline/report/outcome.ts'
import { anyMatrix, anyText, matrix, row } from '../matrix/_rows.ts'

const reader = new MarkdownIt({ html: true })

/** Cells of the first row below the header, as a reader sees them: text only. */
function cells(markdownText: string): string[] {
  const html = reader.render(markdownText)
  const body = html.slice(html.indexOf('<tbody>'))
  return [...body.matchAll(/<td[^>]*>(.*?)<\/td>/gs)].map(([, inner]) =>
    inner!
      .replaceAll(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&amp;', '&'),
  )
}

test('any text in a cell is shown as it is, and stays in its cell', (t) => {
  fc.assert(
    fc.property(anyText, anyText, (a, b) => {
      const shown = cells(`| x | y | z |\n| --- | --- | --- |\n| ${plain(a)} | ${code(b)} | end |\n`)
      t.deepEqual(shown, [oneLine(a), oneLine(b), 'end'])
    }),
    { numRuns: 1000 },
  )
})

test('no text becomes markup', (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const html = reader.renderInline(`a ${plain(text)} ${code(text)} b`)
      t.deepEqual([...html.matchAll(/<(?!\/?code>)[^>]*>/g)], [])
    }),
    { numRuns: 1000 },
  )
})

test('a summary is never longer than asked for, and says what it leaves out', (t) => {
  const long = 'compile-error <|`\\> '.repeat(40)
  const rows = Array.from({ length: 900 }, (_, i) =>
    row(`d${i}/some/where/module${i}.ko`, { rung: 'parse', reason: 'compile-error', detail: long }),
  )
  const whole = markdown(matrix(rows))
  t.regex(whole, /and 800 more/)
  for (const limit of [200_000, 20_000, 2000, 400]) {
    const text = markdown(matrix(rows), diffMatrices(matrix([]), matrix(rows)), limit)
    t.true(Buffer.byteLength(text) <= limit, `${limit}`)
  }
  t.true(Buffer.byteLength(whole) < 1_000_000)
})

test('any comparison has its tables whole', (t) => {
  fc.assert(
    fc.property(anyMatrix, anyMatrix, (a, b) => {
      const html = reader.render(markdownDiff(diffMatrices(a, b)))
      const listed = diffMatrices(a, b)
      const rows = ['lost', 'gained', 'changed', 'vanished', 'appeared', 'directories'].reduce(
        (sum, list) => sum + listed[list as 'lost'].length,
        0,
      )
      t.is([...html.matchAll(/<tr>/g)].length - [...html.matchAll(/<thead>/g)].length, rows)
    }),
  )
})
