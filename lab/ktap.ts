/**
 * The results of the tree's own tests, as they stand in a log: KTAP as KUnit prints it (Documentation/dev-tools/ktap.rst),
 * among everything else that was said. A suite is a subtest at the first level; a case is a result inside of it; what
 * a case is given parameter by parameter is its own affair. Pure; knows no driver.
 */

export interface TestCase {
  readonly suite: string
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Of one that failed, the first expectation that was not met; of a skipped one, why. */
  readonly detail: string
}

interface Suite {
  readonly name: string
  planned: number
  readonly cases: TestCase[]
}

const SUBTEST = /^ {4}# Subtest: (.*)$/
const PLAN = /^ {4}1\.\.(\d+)$/
/** Indentation, verdict, name and directive. Very old releases put a dash before the name. */
const RESULT = /^((?: {4})*)(not ok|ok) \d+ (?:- )?(.*?)(?: # (.*))?$/
const BROKEN = /# \S+: (?:EXPECTATION|ASSERTION) FAILED at (\S+)/
const SAID = /^ {4,}# (?!(?:module|Subtest): )(\S+): (?!pass:)(.+)$/

/** Every case that `lines` tell of. A suite that does not end has failed at the case that it was at. */
export function readKtap(lines: readonly string[]): TestCase[] {
  const done: Suite[] = []
  let suite: Suite | undefined
  let trouble: string[] = []
  for (const line of lines) {
    const [, subtest] = SUBTEST.exec(line) ?? []
    if (subtest !== undefined) {
      if (suite !== undefined) done.push(cutOff(suite, trouble))
      suite = { name: subtest, planned: 0, cases: [] }
      trouble = []
      continue
    }
    const [, indent, verdict, name, directive = ''] = RESULT.exec(line) ?? []
    if (indent === undefined) {
      const [, planned] = PLAN.exec(line) ?? []
      if (planned !== undefined && suite !== undefined) suite.planned = Number(planned)
      else note(trouble, line)
    } else if (indent === '' && suite !== undefined && suite.name === name) {
      done.push(ended(suite, verdict === 'ok', directive, trouble))
      suite = undefined
      trouble = []
    } else if (indent.length === 4 && suite !== undefined) {
      suite.cases.push(caseOf(suite.name, name!, verdict === 'ok', directive, trouble))
      trouble = []
    } else if (verdict === 'not ok') trouble.push(`with ${name}`)
  }
  if (suite !== undefined) done.push(cutOff(suite, trouble))
  return done.flatMap(({ cases }) => cases)
}

/** Lines that say what went wrong: where, and the words below. */
function note(trouble: string[], line: string): void {
  const [, at] = BROKEN.exec(line) ?? []
  if (at !== undefined) trouble.push(`${at}:`)
  else if (trouble.at(-1)?.endsWith(':') === true || /^\s+Expected /.test(line)) trouble.push(line.trim())
  else {
    const [, , text] = SAID.exec(line) ?? []
    if (text !== undefined && trouble.length === 0) trouble.push(text)
  }
}

function caseOf(suite: string, name: string, ok: boolean, directive: string, trouble: readonly string[]): TestCase {
  const [, reason] = /^SKIP ?(.*)$/i.exec(directive) ?? []
  if (reason !== undefined) return { suite, name, outcome: 'skipped', detail: reason.trim() }
  return { suite, name, outcome: ok ? 'passed' : 'failed', detail: ok ? '' : trouble.slice(0, 3).join(' ') }
}

/** One whose cases all passed and which failed all the same did so in what surrounds them. */
function ended(suite: Suite, ok: boolean, directive: string, trouble: readonly string[]): Suite {
  const { cases, name } = suite
  const missing = cases.length < suite.planned
  if (missing || (!ok && cases.every(({ outcome }) => outcome !== 'failed')))
    cases.push(caseOf(name, name, ok && missing && /^SKIP/i.test(directive), directive, trouble))
  return suite
}

function cutOff(suite: Suite, trouble: readonly string[]): Suite {
  const said = trouble.join(' ')
  const detail = `the suite did not go on${said === '' ? '' : `: ${said}`}`
  const number = suite.cases.length + 1
  suite.cases.push({ suite: suite.name, name: `case ${number} of ${suite.planned}`, outcome: 'failed', detail })
  return suite
}
