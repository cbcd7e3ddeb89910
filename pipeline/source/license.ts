/**
 * Which MODULE_LICENSE texts let a module use symbols that are exported to GPL-compatible modules only.
 *
 * Source: include/linux/license.h, Documentation/process/license-rules.rst. Pure.
 */

const COMPATIBLE = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
])

export const isGplCompatible = (license: string): boolean => COMPATIBLE.has(license)

/**
 * What Linux would hold against the module: undefined, or one line. As modpost has it, every MODULE_LICENSE of a module
 * must be compatible; one without any is taken as proprietary.
 */
export function licenseProblem(licenses: readonly string[], gplOnly: readonly string[]): string | undefined {
  if (gplOnly.length === 0) return undefined
  const refused = licenses.filter((license) => !isGplCompatible(license))
  if (licenses.length > 0 && refused.length === 0) return undefined
  const stated = licenses.length === 0 ? 'no MODULE_LICENSE' : `MODULE_LICENSE("${refused.join('"), ("')}")`
  const more = gplOnly.length === 1 ? '' : ` and ${gplOnly.length - 1} more GPL-only symbols`
  return `Linux would not load it: ${stated}, but it uses ${gplOnly[0]}${more === '' ? ' (GPL-only)' : more}`
}
