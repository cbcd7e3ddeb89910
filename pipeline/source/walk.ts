/**
 * One pass over a file's syntax tree: definitions, calls, mentions, constructs wasm cannot have, errors.
 *
 * Positions come from the tree, texts from the original source (the parsed text has blanks in it).
 */
import type { TreeCursor } from 'web-tree-sitter'
import type { ParseError, Untranslatable } from './types.ts'

export interface NamedPlace {
  readonly name: string
  readonly line: number
  readonly called: boolean
}

export interface TopCall {
  readonly name: string
  /** Offsets of the argument list, brackets included. */
  readonly start: number
  readonly end: number
  readonly line: number
}

export interface Initialiser {
  readonly name: string
  /** Offsets of the braces. */
  readonly start: number
  readonly end: number
}

export interface FileWalk {
  /** Functions, variables, parameters, enumerators: names that are the module's own. */
  readonly defined: Set<string>
  /** Declared here but not defined (prototypes, extern). */
  readonly names: NamedPlace[]
  /** Calls outside functions: MODULE_LICENSE(...) and relatives. */
  readonly topCalls: TopCall[]
  readonly initialisers: Initialiser[]
  readonly untranslatable: Omit<Untranslatable, 'file'>[]
  readonly errors: Omit<ParseError, 'file'>[]
}

const ERRORS_MAX = 20

interface State extends FileWalk {
  readonly source: string
  /** Depth of function bodies. */
  functions: number
}

/** Walk from the cursor's root. `source` is the original text, offset for offset. */
export function walkFile(cursor: TreeCursor, source: string): FileWalk {
  const state: State = {
    source,
    functions: 0,
    defined: new Set(),
    names: [],
    topCalls: [],
    initialisers: [],
    untranslatable: [],
    errors: [],
  }
  visit(state, cursor, '', '')
  return state
}

/** Visit the node at the cursor and, below it, everything. `parent` and `field` say where it stands. */
function visit(state: State, cursor: TreeCursor, parent: string, field: string): void {
  const type = cursor.nodeType
  if (type === 'ERROR' || cursor.nodeIsMissing) addError(state, cursor, type)
  switch (type) {
    case 'identifier':
      addIdentifier(state, cursor, parent, field)
      return
    case 'call_expression':
      if (state.functions === 0) addTopCall(state, cursor)
      break
    case 'init_declarator':
      addInitialiser(state, cursor)
      break
    case 'gnu_asm_expression':
      addAssembler(state, cursor)
      return
    case 'comment':
    case 'string_literal':
      return
  }
  if (!cursor.gotoFirstChild()) return
  if (type === 'function_definition') state.functions++
  do {
    visit(state, cursor, type, cursor.currentFieldName ?? '')
  } while (cursor.gotoNextSibling())
  if (type === 'function_definition') state.functions--
  cursor.gotoParent()
}

/** Parents below which an identifier is the name being declared. */
const DECLARES = new Set([
  'function_declarator',
  'pointer_declarator',
  'array_declarator',
  'init_declarator',
  'parameter_declaration',
  'declaration',
  'parenthesized_declarator',
  'attributed_declarator',
])

function addIdentifier(state: State, cursor: TreeCursor, parent: string, field: string): void {
  const name = state.source.slice(cursor.startIndex, cursor.endIndex)
  if (parent === 'enumerator' && field === 'name') state.defined.add(name)
  else if (DECLARES.has(parent) && field !== 'value' && field !== 'size') {
    // A prototype outside a function declares something that may be the kernel's; whatever has a body or is `static`
    // is found again as a definition.
    if (!(parent === 'function_declarator' && !isDefinition(state, cursor))) state.defined.add(name)
  } else {
    const called = parent === 'call_expression' && field === 'function'
    state.names.push({ name, line: cursor.startPosition.row + 1, called })
  }
}

/** A function declarator with a body: walk up from `f` in `int *f(void) {`. */
function isDefinition(_state: State, cursor: TreeCursor): boolean {
  let node = cursor.currentNode.parent
  while (node && (node.type.endsWith('_declarator') || node.type === 'ERROR')) node = node.parent
  if (node?.type === 'function_definition') return true
  // `static int f(void);` is the module's own as well; a local or parameter that is a function pointer, too.
  return node?.type !== 'declaration' || /\bstatic\b/.test(node.text.slice(0, 80))
}

function addTopCall(state: State, cursor: TreeCursor): void {
  const node = cursor.currentNode
  const name = node.childForFieldName('function')
  const args = node.childForFieldName('arguments')
  if (name?.type !== 'identifier' || args === null) return
  state.topCalls.push({
    name: state.source.slice(name.startIndex, name.endIndex),
    start: args.startIndex,
    end: args.endIndex,
    line: name.startPosition.row + 1,
  })
}

function addInitialiser(state: State, cursor: TreeCursor): void {
  if (state.functions > 0) return
  const node = cursor.currentNode
  const value = node.childForFieldName('value')
  if (value?.type !== 'initializer_list') return
  let name = node.childForFieldName('declarator')
  while (name && name.type !== 'identifier') name = name.childForFieldName('declarator') ?? name.firstNamedChild
  if (name)
    state.initialisers.push({
      name: state.source.slice(name.startIndex, name.endIndex),
      start: value.startIndex,
      end: value.endIndex,
    })
}

/** An empty template is only a compiler barrier, which wasm can have. */
function addAssembler(state: State, cursor: TreeCursor): void {
  const text = state.source.slice(cursor.startIndex, cursor.endIndex)
  if (/^[^(]*\(\s*""\s*(?::|\))/.test(text)) return
  const line = cursor.startPosition.row + 1
  state.untranslatable.push({ construct: 'inline-assembler', line, text: oneLine(text) })
}

function addError(state: State, cursor: TreeCursor, type: string): void {
  if (state.errors.length >= ERRORS_MAX) return
  const { row, column } = cursor.startPosition
  const found = oneLine(state.source.slice(cursor.startIndex, Math.min(cursor.endIndex, cursor.startIndex + 80)))
  const message = cursor.nodeIsMissing ? `${JSON.stringify(type)} is missing` : `cannot be parsed: ${found}`
  state.errors.push({ line: row + 1, column: column + 1, message })
}

/** One line of at most 80 characters. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 80 ? `${line.slice(0, 77)}...` : line
}

/**
 * Computed gotos and label addresses, which the C grammar does not know: searched in text without comments and strings.
 * A label's address is told from a logical and by standing where only a value can begin.
 */
export function findLabels(text: string): Omit<Untranslatable, 'file'>[] {
  const found: Omit<Untranslatable, 'file'>[] = []
  const search = (pattern: RegExp, construct: Untranslatable['construct']): void => {
    for (const match of text.matchAll(pattern)) {
      const line = text.slice(0, match.index).split('\n').length
      found.push({ construct, line, text: oneLine(match[0]) })
    }
  }
  search(/\bgoto\s*\*[^;]*;/g, 'computed-goto')
  search(/(?<=[=,{(]\s*)&&\s*[A-Za-z_]\w*/g, 'label-address')
  search(/\bregister\s+[^;(=]*\basm\s*\([^;]*;/g, 'register-variable')
  return found
}
