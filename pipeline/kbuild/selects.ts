/**
 * Which modules a module wants by name alone, as the tree's configuration knows it: its option selects theirs. An IPv6 that is
 * to check signatures selects a hash, asks for it by its name when it starts, and no symbol of the one is used by the other.
 * Or parts of it, options named after its own, depend on theirs: so does each way in which Kerberos encrypts. Of those the crypto
 * API's alone are wanted by name: where a part uses anything else, it is linked to it.
 *
 * Read from Kconfig files and the plain lines of Makefiles; a line that cannot be read costs a module that is asked for and
 * not there, nothing else. Pure.
 */

/** What each option selects or implies (as Bluetooth does AES, whose cmac it cannot start without), whatever the condition. */
export function selectsIn(kconfig: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  let option: string | undefined
  for (const line of kconfig.split('\n')) {
    const [, name] = /^\s*(?:menu)?config\s+(\w+)\s*$/.exec(line) ?? []
    if (name !== undefined) option = name
    const [, selected] = /^\s+(?:select|imply)\s+(\w+)/.exec(line) ?? []
    if (selected !== undefined && option !== undefined) found.set(option, [...(found.get(option) ?? []), selected])
  }
  return found
}

/** Of an option, those that are named after it, depend on it and make no module, with the algorithms that each depends on. */
export function partsOf(kconfig: string): Map<string, { readonly part: string; readonly needs: readonly string[] }[]> {
  const found = new Map<string, { part: string; needs: string[] }[]>()
  for (const entry of kconfig.split(/^(?=\s*(?:menu)?config\s+\w+\s*$)/m)) {
    const [, part] = /^\s*config\s+(\w+)/.exec(entry) ?? []
    if (part === undefined || !/^\s+bool\b/m.test(entry)) continue
    const lines = entry.matchAll(/^\s+depends on\s+(\w+(?:\s*&&\s*\w+)*)\s*$/gm)
    const terms = [...lines].flatMap(([, line = '']) => line.split(/\s*&&\s*/))
    const whole = terms.find((term) => part.startsWith(`${term}_`))
    const needs = terms.filter((term) => term !== whole && term.startsWith('CRYPTO_'))
    if (whole !== undefined && needs.length > 0) found.set(whole, [...(found.get(whole) ?? []), { part, needs }])
  }
  return found
}

/** Algorithms that parts of a module select, options named after its own that make none: as each way of DRBG's selects its hash. */
export function selectedByParts(
  selects: ReadonlyMap<string, readonly string[]>,
  wholes: ReadonlySet<string>,
  isPart: (option: string) => boolean,
): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [part, names] of selects) {
    const algorithms = names.filter((name) => name.startsWith('CRYPTO_'))
    if (algorithms.length === 0 || wholes.has(part) || !isPart(part)) continue
    const words = part.split('_')
    const whole = words.map((_, i) => words.slice(0, -i - 1).join('_')).find((name) => wholes.has(name))
    if (whole !== undefined) found.set(whole, [...(found.get(whole) ?? []), ...algorithms])
  }
  return found
}

/** Options that a Makefile's plain lines name for its modules, by stem: of the module itself, and of parts of it. */
export function optionsIn(makefile: string): { readonly own: Map<string, string>; readonly parts: [string, string][] } {
  const own = new Map<string, string>()
  const parts: [string, string][] = []
  const lines = makefile.replaceAll(/\\\n/g, ' ').matchAll(/^\s*([\w-]+?)-\$\(CONFIG_(\w+)\)\s*[:+]?=\s*(.*)$/gm)
  for (const [, target = '', option = '', names = ''] of lines) {
    if (target !== 'obj') parts.push([target, option])
    else for (const name of names.split(/\s+/)) if (name.endsWith('.o')) own.set(name.slice(0, -2), option)
  }
  return { own, parts }
}

/** All that some options select, and what is selected by that, as far as it is on. */
export function selectedBy(
  options: readonly string[],
  selects: ReadonlyMap<string, readonly string[]>,
  isOn: (option: string) => boolean,
): Set<string> {
  const found = new Set<string>()
  const visit = (option: string): void => {
    for (const selected of selects.get(option) ?? []) {
      if (found.has(selected) || !isOn(selected)) continue
      found.add(selected)
      visit(selected)
    }
  }
  for (const option of options) if (isOn(option)) visit(option)
  return found
}
