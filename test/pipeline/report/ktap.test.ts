import test from 'ava'
import fc from 'fast-check'
import { ktap, resultText } from '../../../pipeline/report/ktap.ts'
import { byDirectory, outcomeOf } from '../../../pipeline/report/outcome.ts'
import { anyMatrix, anyText } from '../matrix/_rows.ts'

interface Result {
  readonly ok: boolean
  readonly number: number
  readonly name: string
  readonly directive: string
}

/** Lines of one level, by the rules of ktap.rst: version, plan, results numbered from 1. */
function level(lines: readonly string[], indent: string): Result[][] {
  const groups: Result[][] = []
  for (const line of lines) {
    if (!line.startsWith(indent) || line.startsWith(`${indent} `)) continue
    const text = line.slice(indent.length)
    if (text === 'KTAP version 1') groups.push([])
    const found = /^(ok|not ok) (\d+) ([^#]*?)(?: # ?(.*))?$/.exec(text)
    if (found)
      groups
        .at(-1)
        ?.push({ ok: found[1] === 'ok', number: Number(found[2]), name: found[3]!, directive: found[4] ?? '' })
  }
  return groups
}

const WORD = {
  pass: /^$/,
  fail: /^(?!SKIP|ERROR|TIMEOUT)./,
  skip: /^SKIP /,
  error: /^(ERROR|TIMEOUT) /,
  miss: /^ERROR /,
} as const

test('any matrix, parsed by the rules, is the matrix again', (t) => {
  fc.assert(
    fc.property(anyMatrix, (document) => {
      const lines = ktap(document).split('\n')
      t.is(lines[0], 'KTAP version 1')
      const [top = []] = level(lines, '')
      const inside = level(lines, '  ')
      const directories = byDirectory(document.rows)
      t.is(lines[1], `1..${directories.length}`)
      t.deepEqual(
        top.map(({ number }) => number),
        directories.map((_, i) => i + 1),
      )
      for (const [i, [directory, rows]] of directories.entries()) {
        t.is(top[i]?.name, directory)
        const outcomes = rows.map((row) => outcomeOf(row, document.until))
        t.is(
          top[i]?.ok,
          outcomes.every((outcome) => outcome === 'pass' || outcome === 'skip'),
        )
        t.deepEqual(
          inside[i]?.map(({ name }) => name),
          rows.map(({ module }) => module),
        )
        for (const [j, outcome] of outcomes.entries()) {
          t.is(inside[i]?.[j]?.ok, outcome === 'pass' || outcome === 'skip')
          t.regex(inside[i]?.[j]?.directive ?? '', WORD[outcome])
        }
      }
    }),
  )
})

test('no text makes a second line or a directive', (t) => {
  fc.assert(fc.property(anyText, (text) => (t.notRegex(resultText(text), /[#\p{Cc}\u2028\u2029]/u), true)))
})
