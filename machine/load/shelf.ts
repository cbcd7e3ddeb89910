/**
 * Modules that stand ready in a package and are loaded when the kernel asks for one by its name or an alias, as modprobe would
 * find it: after those that it stands on. Knows no kernel; the names are patterns that the modules' images hold.
 */
import type { BoundPackage } from './core.ts'

const plain = (name: string): string => name.replaceAll('-', '_')

/** `alias=...` texts of a module's information: shell patterns. */
function aliasesOf({ image }: BoundPackage): RegExp[] {
  const texts = new TextDecoder('latin1').decode(image).split('\0')
  return texts.flatMap((text) => (text.startsWith('alias=') ? [shellPattern(plain(text.slice('alias='.length)))] : []))
}

/** `*` any text, `?` a character, `[...]` one of some. */
export function shellPattern(text: string): RegExp {
  const body = text.replaceAll(/\*|\?|\[[^\]]*\]|[.+^${}()|[\]\\]/g, (token) => {
    if (token === '*') return '.*'
    if (token === '?') return '.'
    return token.startsWith('[') && token.length > 1 ? token : `\\${token}`
  })
  return new RegExp(`^${body}$`)
}

export class Shelf {
  readonly #modules: ReadonlyMap<string, BoundPackage>
  readonly #aliases = new Map<BoundPackage, readonly RegExp[]>()
  /** Taken, in this order. */
  readonly taken: BoundPackage[] = []
  /** Asked for, and not here. */
  readonly missed = new Set<string>()

  constructor(modules: readonly BoundPackage[]) {
    this.#modules = new Map(modules.map((module) => [module.name, module]))
  }

  /** The module that is to be loaded next so that `name` is there: 'there' when all are, undefined when nobody has the name. */
  next(name: string): BoundPackage | 'there' | undefined {
    const wanted = this.#find(name)
    if (wanted === undefined) {
      this.missed.add(name)
      return undefined
    }
    return this.#first(wanted) ?? 'there'
  }

  take(module: BoundPackage): void {
    this.taken.push(module)
  }

  #find(name: string): BoundPackage | undefined {
    for (const module of this.#modules.values()) {
      if (plain(module.name) === plain(name)) return module
      const aliases = this.#aliases.get(module) ?? aliasesOf(module)
      this.#aliases.set(module, aliases)
      if (aliases.some((pattern) => pattern.test(plain(name)))) return module
    }
    return undefined
  }

  /** The first of those that it stands on which is not loaded yet, or itself. */
  #first(module: BoundPackage): BoundPackage | undefined {
    for (const owner of new Set(module.imports.map(({ from }) => from))) {
      const other = this.#modules.get(owner.replace(/^module:/, ''))
      const first = other === undefined || other === module ? undefined : this.#first(other)
      if (first !== undefined) return first
    }
    return this.taken.includes(module) ? undefined : module
  }
}
