import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { XmlDocument, XsdValidator, type XmlElement } from 'libxml2-wasm'
import { junit } from '../../../pipeline/report/junit.ts'
import { oneLine, outcomeOf, printable, specifics, whyNot } from '../../../pipeline/report/outcome.ts'
import type { MatrixDocument } from '../../../pipeline/matrix/types.ts'
import { anyMatrix, matrix, row, sample } from '../matrix/_rows.ts'

const xsd = XmlDocument.fromString(readFileSync(new URL('junit.xsd', import.meta.url), 'utf8'))
const validator = XsdValidator.fromDoc(xsd)

/** What a consumer reads: parsed by libxml2, valid, as plain values. */
function read(document: MatrixDocument) {
  const xml = XmlDocument.fromString(junit(document))
  try {
    validator.validate(xml)
    const number = (path: string): number => Number((xml.eval(path) as number | string).toString())
    const cases = xml.find('//testcase').map((node) => {
      const element = node as XmlElement
      const problem = element.find('*')[0] as XmlElement | undefined
      return {
        name: element.attr('name')?.value,
        classname: element.attr('classname')?.value,
        kind: problem?.name,
        message: problem?.attr('message')?.value,
        text: problem?.content,
      }
    })
    return {
      cases,
      tests: number('sum(//testsuite/@tests)'),
      failures: number('sum(//testsuite/@failures)'),
      errors: number('sum(//testsuite/@errors)'),
    }
  } finally {
    xml.dispose()
  }
}

const KIND = { pass: undefined, fail: 'failure', error: 'error', miss: 'error', skip: 'skipped' } as const

test('any matrix is valid, and every text comes out of the parser as it went in', (t) => {
  fc.assert(
    fc.property(anyMatrix, (document) => {
      const { cases, ...counts } = read(document)
      t.is(cases.length, document.rows.length)
      const outcomes = document.rows.map((row) => outcomeOf(row, document.until))
      const having = (...kinds: string[]) => outcomes.filter((outcome) => kinds.includes(outcome)).length
      t.deepEqual(counts, { tests: cases.length, failures: having('fail'), errors: having('error', 'miss') })
      for (const [i, row] of document.rows.entries()) {
        const found = cases.find(
          ({ name, classname }) => name === row.module && `${classname?.replaceAll('.', '/')}/${name}.ko` === row.path,
        )
        t.is(found?.kind, KIND[outcomes[i]!])
        if (outcomes[i] === 'pass') continue
        t.is(found?.message, oneLine(whyNot(row)))
        t.is(found?.text, printable([`reached: ${row.rung}`, ...specifics(row)].join('\n')))
      }
    }),
  )
})

test('the schema that holds us refuses what Jenkins would', (t) => {
  for (const [was, is] of [
    ['<failure ', '<fehler '],
    ['classname=', 'klass='],
    ['tests="1"', 'tests="one"'],
  ] as const) {
    const xml = XmlDocument.fromString(
      junit(sample)
        .replace(was, is)
        .replace('</failure>', is === '<fehler ' ? '</fehler>' : '</failure>'),
    )
    t.throws(() => validator.validate(xml), undefined, was)
    xml.dispose()
  }
})

test('times are seconds: of the build as a whole, and of what came after it', (t) => {
  const text = junit(matrix([row('a/a.ko', { ms: { compile: 1000, link: 100, total: 1150, load: 30, init: 20 } })]))
  t.regex(text, /<testcase name="a" classname="a" time="1\.200"\/>/)
})
