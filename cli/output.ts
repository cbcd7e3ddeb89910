/**
 * What the command line shows: data to stdout, progress and notices to stderr. A live line only on a terminal, plain
 * lines elsewhere; colour follows NO_COLOR through node:util.
 *
 * Knows nothing of drivers; commands give it text and rows.
 */
import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colour for a stream that may not be a terminal. */
export const paint = (style: Style, text: string): string => styleText(style, text, { stream: process.stdout })

export interface Progress {
  /** What is going on now; replaces the line before on a terminal, printed at most every `plain_interval_ms` elsewhere. */
  update(text: string): void
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
  const clear = '\r\x1b[K'
  return {
    update: (text) => void stream.write(clear + text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))),
    note: (text) => void stream.write(`${clear}${text}\n`),
    done: () => void stream.write(clear),
  }
}

function plainProgress(stream: NodeJS.WriteStream): Progress {
  let last = -Infinity
  return {
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

/** Groups thousands: 1234567 -> "1,234,567". */
export const count = (value: number): string => value.toLocaleString('en-US')
