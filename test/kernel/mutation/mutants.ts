/**
 * Mutants of a source file: each differs from it in one place, as a plausible mistake would.
 *
 * Types are blanked out by Node's own stripper, which keeps every other character where it was, so places in the
 * JavaScript are places in the TypeScript. Knows nothing of what the code means or of who will look for the mistake.
 */
import { stripTypeScriptTypes } from 'node:module'
import { type AnyNode, type Function as FunctionNode, parse } from 'acorn'

export interface Mutant {
  /** `file function | mistake | text it replaces`, with ` #2` where that is there twice: the same when lines move. */
  readonly key: string
  readonly line: number
  readonly start: number
  readonly end: number
  readonly replacement: string
}

/** A loop that went round more often than any healthy run does. */
export const TICK = 'globalThis.drvportMutationTick();'

export const strip = (source: string): string => stripTypeScriptTypes(source)

const COMPARISONS: Readonly<Record<string, string>> = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
}
const ARITHMETIC: Readonly<Record<string, string>> = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '&': '|',
  '|': '&',
  '<<': '>>',
  '>>': '<<',
}
const ASSIGNMENTS: Readonly<Record<string, string>> = { '+=': '-=', '-=': '+=', '|=': '&=', '&=': '|=' }

/** Every child of a node, in no particular order. */
function children(node: AnyNode): AnyNode[] {
  return Object.values(node)
    .flat()
    .filter((value): value is AnyNode => typeof value === 'object' && value !== null && typeof value.type === 'string')
}

/** Expressions whose value is true or false. */
function isBoolean(node: AnyNode): boolean {
  if (node.type === 'BinaryExpression') return node.operator in COMPARISONS || node.operator === 'instanceof'
  if (node.type === 'LogicalExpression') return node.operator !== '??' && isBoolean(node.left) && isBoolean(node.right)
  return node.type === 'UnaryExpression' && node.operator === '!'
}

/** What is said to people, not to programs: the last argument of an error, or a template. */
const isMessage = (parent: AnyNode, node: AnyNode): boolean =>
  parent.type === 'NewExpression' &&
  parent.arguments.at(-1) === node &&
  parent.callee.type === 'Identifier' &&
  /Error|Failure$/.test(parent.callee.name)

class Finder {
  readonly #file: string
  readonly #code: string
  readonly #seen = new Map<string, number>()
  readonly found: Mutant[] = []

  constructor(file: string, code: string) {
    this.#file = file
    this.#code = code
  }

  #text = ({ start, end }: AnyNode): string => this.#code.slice(start, end)

  #add(scope: string, mistake: string, node: AnyNode, replacement: string): void {
    const text = this.#text(node).replaceAll(/\s+/g, ' ')
    const base = `${this.#file} ${scope} | ${mistake} | ${text.length > 70 ? `${text.slice(0, 67)}...` : text}`
    const count = (this.#seen.get(base) ?? 0) + 1
    this.#seen.set(base, count)
    this.found.push({
      key: count === 1 ? base : `${base} #${count}`,
      line: this.#code.slice(0, node.start).split('\n').length,
      start: node.start,
      end: node.end,
      replacement,
    })
  }

  visit(node: AnyNode, scope: string): void {
    this.#mutate(node, scope)
    const inner = this.#scope(node) ?? scope
    if (node.type === 'ImportDeclaration') return
    for (const child of children(node)) if (!isMessage(node, child)) this.visit(child, inner)
  }

  #scope(node: AnyNode): string | undefined {
    if (node.type === 'FunctionDeclaration') return node.id?.name
    if (node.type === 'MethodDefinition' || node.type === 'PropertyDefinition') return this.#text(node.key)
    if (node.type === 'VariableDeclarator' && node.init?.type === 'ArrowFunctionExpression') return this.#text(node.id)
    return undefined
  }

  #mutate(node: AnyNode, scope: string): void {
    switch (node.type) {
      case 'IfStatement':
        this.#negate(scope, node.test)
        this.#add(scope, 'removed', node, ';')
        return
      case 'ConditionalExpression':
      case 'WhileStatement':
        this.#negate(scope, node.test)
        return
      case 'ForStatement':
      case 'ForOfStatement':
        this.#add(scope, 'removed', node, ';')
        return
      case 'LogicalExpression':
        if (node.operator === '??') return
        this.#swap(scope, node, node.operator === '&&' ? '||' : '&&')
        return
      case 'BinaryExpression': {
        const other = COMPARISONS[node.operator] ?? ARITHMETIC[node.operator]
        if (other !== undefined) this.#swap(scope, node, other)
        return
      }
      case 'AssignmentExpression': {
        const other = ASSIGNMENTS[node.operator]
        if (other !== undefined) this.#swap(scope, node, other)
        return
      }
      case 'UpdateExpression': {
        const turned = node.operator === '++' ? '--' : '++'
        const argument = this.#text(node.argument)
        this.#add(scope, 'swapped', node, node.prefix ? turned + argument : argument + turned)
        return
      }
      case 'UnaryExpression':
        if (node.operator === '!') this.#add(scope, 'not dropped', node, `(${this.#text(node.argument)})`)
        return
      case 'Literal':
        this.#literal(scope, node)
        return
      case 'ExpressionStatement':
      case 'BreakStatement':
      case 'ContinueStatement':
        this.#add(scope, 'removed', node, ';')
        return
      case 'ReturnStatement':
        if (node.argument === null || node.argument === undefined) this.#add(scope, 'removed', node, ';')
        else this.#constant(scope, node.argument)
        return
      case 'ArrowFunctionExpression':
        if (node.body.type !== 'BlockStatement') this.#constant(scope, node.body)
    }
  }

  /** Unless another mistake is the same one. */
  #negate(scope: string, test: AnyNode): void {
    if (test.type === 'UnaryExpression' || (test.type === 'BinaryExpression' && /==/.test(test.operator))) return
    this.#add(scope, 'negated', test, `!(${this.#text(test)})`)
  }

  #swap(scope: string, node: AnyNode & { operator: string; left: AnyNode; right: AnyNode }, other: string): void {
    const { operator, left, right } = node
    const at = this.#code.indexOf(operator, left.end)
    const [before, after] = [this.#code.slice(node.start, at), this.#code.slice(at + operator.length, right.end)]
    this.#add(scope, `${other} for ${operator}`, node, before + other + after + this.#code.slice(right.end, node.end))
  }

  #literal(scope: string, node: AnyNode & { value?: unknown }): void {
    const { value } = node
    if (typeof value === 'number') this.#add(scope, 'off by one', node, String(value + 1))
    else if (typeof value === 'boolean') this.#add(scope, 'inverted', node, String(!value))
    else if (typeof value === 'string') this.#add(scope, 'another word', node, `'${value}?'`)
  }

  /** A constant in place of what is returned. */
  #constant(scope: string, node: AnyNode): void {
    if (node.type === 'Literal') return
    if (isBoolean(node)) {
      this.#add(scope, 'returns true', node, 'true')
      this.#add(scope, 'returns false', node, 'false')
    } else if (this.#text(node) !== 'undefined') this.#add(scope, 'returns nothing', node, 'undefined')
  }
}

const parsed = (code: string): AnyNode => parse(code, { ecmaVersion: 'latest', sourceType: 'module' })

/** Every mutant of a file's stripped code. */
export function mutantsOf(file: string, code: string): Mutant[] {
  const finder = new Finder(file, code)
  finder.visit(parsed(code), '')
  return finder.found
}

/** Have every loop say each time that it goes round, so that one without end is seen without a clock. */
export function countLoops(code: string): string {
  const edits: { at: number; text: string }[] = []
  const walk = (node: AnyNode): void => {
    if (/^(?:For|ForOf|While|DoWhile)Statement$/.test(node.type)) {
      const { body } = node as FunctionNode
      edits.push({ at: body.start, text: `{${TICK}` }, { at: body.end, text: '}' })
    }
    for (const child of children(node)) walk(child)
  }
  walk(parsed(code))
  return edits
    .toSorted((a, b) => b.at - a.at)
    .reduce((text, e) => text.slice(0, e.at) + e.text + text.slice(e.at), code)
}

export const apply = (code: string, { start, end, replacement }: Mutant): string =>
  code.slice(0, start) + replacement + code.slice(end)
