/**
 * Parameters of a C function, from its source: what a debugger calls the values it finds.
 */
import { parseC, plain } from '../source/parser.ts'

type Node = NonNullable<Awaited<ReturnType<typeof parseC>>['rootNode']>

export interface Parameter {
  readonly name: string
  /** As it is written: `struct pci_dev *pdev`. */
  readonly declaration: string
}

const childrenOf = (node: Node): Node[] => node.children.filter((child) => child !== null)

/** What a declarator is around: brackets do not say which of their parts it is. */
const inside = (node: Node): Node | null =>
  node.childForFieldName('declarator') ?? childrenOf(node).find(({ type }) => type.endsWith('declarator')) ?? null

/** Declarators nest: pointers, brackets, arrays around the name. */
function innermost(node: Node | null, type: string): Node | undefined {
  for (let at = node; at !== null; at = inside(at)) if (at.type === type) return at
  return undefined
}

/** The parameters of the function of that name that `text` defines; undefined when it defines none. */
export async function parametersOf(text: string, name: string): Promise<Parameter[] | undefined> {
  const tree = await parseC(plain(text))
  try {
    const found = definition(tree.rootNode, name)
    if (found === undefined) return undefined
    return childrenOf(found)
      .filter(({ type }) => type === 'parameter_declaration')
      .flatMap((node) => {
        const identifier = innermost(node.childForFieldName('declarator'), 'identifier')
        const declaration = text.slice(node.startIndex, node.endIndex).replaceAll(/\s+/g, ' ')
        return identifier === undefined ? [] : [{ name: identifier.text, declaration }]
      })
  } finally {
    tree.delete()
  }
}

/** The parameter list of a function's definition. */
function definition(node: Node, name: string): Node | undefined {
  if (node.type === 'function_definition') {
    const declarator = innermost(node.childForFieldName('declarator'), 'function_declarator')
    const title = innermost(declarator?.childForFieldName('declarator') ?? null, 'identifier')
    return title?.text === name ? (declarator?.childForFieldName('parameters') ?? undefined) : undefined
  }
  for (const child of childrenOf(node)) {
    const found = definition(child, name)
    if (found !== undefined) return found
  }
  return undefined
}
