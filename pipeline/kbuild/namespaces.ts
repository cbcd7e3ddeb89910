/**
 * Namespaces of exported symbols: who may use what is exported in one. Pure.
 * Source: Documentation/core-api/symbol-namespaces.rst; scripts/mod/modpost.c, kernel/module/main.c check it.
 */

/** What EXPORT_SYMBOL_FOR_MODULES makes of its list. */
const FOR_MODULES = 'module:'

/** Whether a module that imports `imported` may use what is exported in a namespace. */
export function isOpen(namespace: string, module: string, imported: ReadonlySet<string>): boolean {
  if (!namespace.startsWith(FOR_MODULES)) return imported.has(namespace)
  const own = canonical(module)
  return namesIn(namespace).some((name) => {
    const listed = canonical(name)
    return listed.endsWith('*') ? own.startsWith(listed.slice(0, -1)) : own === listed
  })
}

const canonical = (name: string): string => name.replaceAll('-', '_')

const namesIn = (namespace: string): string[] =>
  namespace
    .slice(FOR_MODULES.length)
    .split(',')
    .map((name) => name.trim())

/** For people, after the symbol's name. */
export function whoMayUse(namespace: string): string {
  if (namespace.startsWith(FOR_MODULES)) return `is exported to ${namesIn(namespace).join(', ')} only`
  return `is exported in the namespace ${namespace}, which MODULE_IMPORT_NS has to name`
}
