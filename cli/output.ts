/**
 * What the command line shows: data to stdout, progress and notices to stderr. A live line only on a terminal, plain
 * lines elsewhere; colour follows NO_COLOR through node:util.
 *
 * Knows nothing of drivers; commands give it text and rows.
 */
import { styleText } from 'node:util'
import type { TreeFacts } from '../pipeline/package.ts'

type Style = Parameters<typeof styleText>[0]

/** Colour for a stream that may not be a terminal. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

export interface Progress {
  /**
   * What is going on now; replaces what it said before on a terminal, with lines below it; printed without them, at most
   * every `plain_interval_ms`, elsewhere.
   */
  update(text: string, below?: readonly string[]): void
  /** Whether updates replace each other: worth making often. */
  readonly live: boolean
  /** A line that stays. */
  note(text: string): void
  /** Remove the live line. */
  done(): void
}

const PLAIN_INTERVAL_MS = 2000

/** Progress on stderr. */
export function progressOn(stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? liveProgress(stream) : plainProgress(stream)
}

function liveProgress(stream: NodeJS.WriteStream): Progress {
  let drawn = 0
  // Back to the first line drawn, and everything below it gone.
  const clear = () => `\r${drawn > 1 ? `\x1b[${drawn - 1}A` : ''}\x1b[J`
  const fit = (text: string) => text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))
  const replace = (text: string, lines: number) => {
    stream.write(clear() + text)
    drawn = lines
  }
  return {
    live: true,
    update: (text, below = []) => replace([text, ...below].map(fit).join('\n'), 1 + below.length),
    note: (text) => replace(`${text}\n`, 0),
    done: () => replace('', 0),
  }
}

function plainProgress(stream: NodeJS.WriteStream): Progress {
  let last = -Infinity
  return {
    live: false,
    update(text) {
      const now = performance.now()
      if (now - last < PLAIN_INTERVAL_MS) return
      last = now
      stream.write(`${text}\n`)
    },
    note: (text) => void stream.write(`${text}\n`),
    done: () => {},
  }
}

export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

// eslint-disable-next-line no-control-regex -- styled cells carry escape sequences that take no width
const width = (text: string): number => text.replaceAll(/\x1b\[[0-9;]*m/g, '').length

/** Rows under a header, columns as wide as their widest cell. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map((column, i) => Math.max(column.title.length, ...rows.map((row) => width(row[i] ?? ''))))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => {
        const padding = ' '.repeat(widths[i]! - width(cell))
        return columns[i]!.align === 'right' ? padding + cell : cell + padding
      })
      .join('  ')
      .trimEnd()
  return [line(columns.map((column) => paint('dim', column.title))), ...rows.map(line)].join('\n')
}

/** 12345678 -> "12.3 MB". */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`
  const unit = count < 1e6 ? ['kB', 1e3] : count < 1e9 ? ['MB', 1e6] : ['GB', 1e9]
  return `${(count / (unit[1] as number)).toFixed(1)} ${unit[0]}`
}

/** 1234 -> "1.2 s", 12.3 -> "12 ms", 0.1234 -> "123 us". */
export function duration(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return ms >= 1 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms * 1000).toFixed(0)} us`
}

/** Time that people wait for: 42 -> "42 s", 754 -> "12 min 34 s", 7540 -> "2 h 5 min". */
export function waiting(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** 1234 of 8000 -> "15.4 %"; never rounded up to what it is not. */
export const share = (part: number, whole: number): string =>
  whole === 0 ? '' : `${(Math.floor((part / whole) * 1000) / 10).toFixed(1)} %`

/** Groups thousands: 1234567 -> "1,234,567". */
export const count = (value: number): string => value.toLocaleString('en-US')

/** "linux-6.1 (6.1.192)", and which configuration when it is not the plain one. */
export const treeText = ({ name, version, configuration }: TreeFacts): string =>
  `${name} (${configuration === undefined ? version : `${version}, ${configuration}`})`
