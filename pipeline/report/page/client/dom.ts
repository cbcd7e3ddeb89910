/** Makes elements. Text goes in as text and never as markup, so whatever a driver's source says stays inert. */

export type Child = Node | string | number | false | undefined

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>

/** An element with attributes (`true`: present, `false` or undefined: absent) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Child | readonly Child[])[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) continue
    element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat()) {
    if (child !== false && child !== undefined) element.append(typeof child === 'number' ? String(child) : child)
  }
  return element
}

/** The element with this id; the page's own markup has it, so its absence is a bug. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`no #${id} in the page`)
  return element as T
}

const grouped = new Intl.NumberFormat('en')
export const count = (n: number): string => grouped.format(n)
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** Share of a whole as a person reads it: never 100 % or 0 % unless it is. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return ''
  const share = (part / whole) * 100
  if (part === whole || part === 0) return `${share} %`
  return `${Math.min(99.9, Math.max(0.1, share)).toFixed(1)} %`
}

/** True on a screen too narrow for columns; the style sheet has the same limit. */
export const isNarrow = (): boolean => matchMedia('(max-width: 719px)').matches

/** The link's ordinary click; with a modifier the browser opens a tab and we keep out of it. */
export const isPlainClick = (event: MouseEvent): boolean =>
  event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey

/**
 * Where a view's address leads, with the page's own name: a link that is only a fragment is taken for one that skips
 * within the page.
 */
export const linkTo = (address: string): string => `${location.pathname.split('/').at(-1) || './'}${address}`
