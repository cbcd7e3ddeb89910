/**
 * Which options of a configured tree build drivers into the kernel for hardware that the machine has not got.
 *
 * allmodconfig makes a module of whatever can be one; a driver whose option is a plain yes or no ends up in the kernel
 * itself. Most are clocks, pins, timers and interrupt controllers of systems on a chip. They are switched off: the reason
 * stands beside each place. An option that something else selects stays as it is, so a module never loses what it
 * needs. Knows Makefiles by their plain `obj-$(CONFIG_X) += y.o` lines only: a line it cannot read costs size, nothing else.
 */

import * as fs from 'node:fs/promises'
import * as path from 'node:path'

/** Directories of a tree, and which names in them are drivers of hardware; `*` in a directory is any one name. */
const PLACES: readonly { readonly dir: string; readonly objects?: RegExp; readonly why: string }[] = [
  { dir: 'drivers/clk', objects: /^clk-/, why: 'clocks of boards' },
  { dir: 'drivers/clk', objects: /\/$/, why: 'clock controllers, a directory a maker' },
  { dir: 'drivers/clk/*', why: 'clock controllers of systems on a chip' },
  { dir: 'drivers/clk/*/*', why: 'clock controllers of systems on a chip' },
  { dir: 'drivers/pinctrl', objects: /^pinctrl-/, why: 'pin controllers' },
  { dir: 'drivers/pinctrl/*', why: 'pin controllers of systems on a chip' },
  { dir: 'drivers/soc/*', why: 'parts of systems on a chip' },
  { dir: 'drivers/soc/*/*', why: 'parts of systems on a chip' },
  { dir: 'drivers/pmdomain/*', why: 'power domains of systems on a chip' },
  { dir: 'drivers/clocksource', why: 'timers: the machine has one of its own' },
  { dir: 'drivers/irqchip', why: 'interrupt controllers: the machine has one of its own' },
  { dir: 'drivers/reset', objects: /^reset-/, why: 'reset controllers of systems on a chip' },
  { dir: 'drivers/reset/*', why: 'reset controllers of systems on a chip' },
  { dir: 'drivers/pci/controller', why: 'PCI host bridges: the machine has one of its own' },
  { dir: 'drivers/pci/controller/*', why: 'PCI host bridges: the machine has one of its own' },
  { dir: 'drivers/iommu', objects: /-iommu|vmsa/, why: 'IOMMUs: the machine has one of its own' },
  { dir: 'drivers/iommu/*', why: 'IOMMUs: the machine has one of its own' },
  { dir: 'drivers/power/reset', why: 'switching boards off' },
  { dir: 'drivers/bus', why: 'buses of systems on a chip' },
  { dir: 'drivers/dma', objects: /[-_](dma|dmac|dmamux|mdma|xor)\.o$/, why: 'DMA controllers' },
  { dir: 'drivers/dma/*', why: 'DMA controllers' },
  { dir: 'drivers/firmware/*', why: 'firmware of systems on a chip' },
  { dir: 'drivers/gpio', objects: /^gpio-/, why: 'GPIO controllers' },
  { dir: 'drivers/phy/*', why: 'PHYs of systems on a chip' },
  { dir: 'drivers/rtc', objects: /^rtc-(?!core)/, why: 'clocks' },
  { dir: 'drivers/video/fbdev/*', why: 'displays' },
  { dir: 'drivers/watchdog', objects: /_wdt/, why: 'watchdogs' },
  { dir: 'drivers/mailbox', objects: /-mailbox/, why: 'mailboxes of systems on a chip' },
  { dir: 'drivers/platform/*', why: 'laptops' },
  { dir: 'drivers/pci/hotplug', why: 'slots of boards' },
]

const LINE = /^\s*obj-\$\(CONFIG_(\w+)\)\s*[:+]?=\s*(.*)$/gm

/** Options that a Makefile's plain lines build these objects for. */
export function optionsIn(makefile: string, objects: RegExp | undefined): string[] {
  const lines = makefile.replaceAll(/\\\n/g, ' ').matchAll(LINE)
  const found = [...lines].filter(([, , names]) => {
    const words = (names as string).split(/\s+/).filter((word) => word !== '')
    return words.length > 0 && (objects === undefined || words.every((word) => objects.test(word)))
  })
  return found.map(([, option]) => option as string)
}

/** Directories that a pattern names. */
async function expand(view: string, pattern: string): Promise<string[]> {
  let dirs = ['']
  for (const part of pattern.split('/')) {
    const next: string[] = []
    for (const dir of dirs) {
      if (part !== '*') next.push(path.join(dir, part))
      else {
        const entries = await fs.readdir(path.join(view, dir), { withFileTypes: true }).catch(() => [])
        next.push(...entries.filter((entry) => entry.isDirectory()).map(({ name }) => path.join(dir, name)))
      }
    }
    dirs = next
  }
  return dirs
}

/** Options that are plainly on in `config` (a .config's text) and build such drivers in. Sorted. */
export async function optionsToTrim(view: string, config: string): Promise<string[]> {
  const on = new Set([...config.matchAll(/^CONFIG_(\w+)=y$/gm)].map(([, option]) => option as string))
  const found = new Set<string>()
  for (const { dir: pattern, objects } of PLACES) {
    for (const dir of await expand(view, pattern)) {
      for (const name of ['Makefile', 'Kbuild']) {
        const text = await fs.readFile(path.join(view, dir, name), 'utf8').catch(() => '')
        for (const option of optionsIn(text, objects)) if (on.has(option)) found.add(option)
      }
    }
  }
  return [...found].toSorted()
}

/** The answers that switch them off. */
export const trimFragment = (options: readonly string[]): string =>
  options.map((option) => `# CONFIG_${option} is not set\n`).join('')
