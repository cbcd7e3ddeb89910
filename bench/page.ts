/**
 * What the page of a matrix costs in headless chromium, with as many rows as a whole tree has.
 *
 * `node bench/page.ts [MATRIX.json] [--rounds N]` times, in one page: opening it (to the list painted and the counts
 * done), and each of several filters from the input event to the frame that shows the new list. Without a file the
 * matrix is the synthetic one.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Page } from 'puppeteer-core'
import { readMatrix } from '../pipeline/matrix/read.ts'
import { renderPage } from '../pipeline/report/page/index.ts'
import { launchChromium } from './browser.ts'
import { syntheticMatrix } from './synthetic-matrix.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '7' } },
})
const rounds = Number(values.rounds)

/** A control and the value that a reader gives it. */
const FILTERS: readonly (readonly [control: string, value: string])[] = [
  ['q', 'e'],
  ['q', 'ethernet'],
  ['q', 'get'],
  ['q', 'no such module'],
  ['rung', 'compile'],
  ['rung', 'verify'],
  ['reason', 'unresolved-symbol'],
  ['bus', 'pci'],
  ['class', 'net'],
  ['licence', 'text:GPL'],
]

/**
 * Milliseconds from the event to the frame after the one that painted what it changed: the callback of an animation
 * frame runs before the paint, a task queued there after it.
 */
function timeFilter(page: Page, control: string, value: string): Promise<number> {
  return page.evaluate(
    async (id, to) => {
      const element = document.getElementById(id) as HTMLInputElement
      const painted = () =>
        new Promise<void>((resolve) =>
          requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => resolve()))),
        )
      const set = async (text: string) => {
        element.value = text
        const start = performance.now()
        element.dispatchEvent(new Event(element.matches('input') ? 'input' : 'change', { bubbles: true }))
        await painted()
        return performance.now() - start
      }
      const took = await set(to)
      await set('')
      // What is drawn after the list must not run into the next measurement.
      await new Promise((resolve) => setTimeout(resolve, 400))
      return took
    },
    control,
    value,
  )
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

const row = (what: string, times: readonly number[]): string =>
  `| ${what} | ${median(times).toFixed(1)} | ${Math.min(...times).toFixed(1)} | ${Math.max(...times).toFixed(1)} |`

const [file] = positionals
const matrix = file === undefined ? syntheticMatrix() : await readMatrix(file)
const folder = await mkdtemp(join(tmpdir(), 'drvport-bench-'))
const browser = await launchChromium()
try {
  const html = renderPage(matrix)
  const at = join(folder, 'matrix.html')
  await writeFile(at, html)
  const page = await browser.newPage()
  await page.setViewport({ width: 1440, height: 900 })
  const opened: number[] = []
  for (let i = 0; i < rounds; i++) {
    await page.goto(pathToFileURL(at).href)
    await page.waitForSelector('body[data-ready]')
    opened.push(await page.evaluate(() => performance.getEntriesByName('ready')[0]!.startTime))
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  const filters = new Map(FILTERS.map(([control, value]) => [`${control}: ${value}`, [] as number[]]))
  for (let i = 0; i < rounds; i++)
    for (const [control, value] of FILTERS)
      filters.get(`${control}: ${value}`)!.push(await timeFilter(page, control, value))
  const said = `${matrix.rows.length} rows, page of ${(html.length / 1e6).toFixed(2)} MB, ${rounds} rounds`
  console.log(`${said}, ${cpus()[0]?.model}, ${cpus().length} cores, ${await browser.version()}\n`)
  console.log('| what, ms | median | min | max |\n|---|---:|---:|---:|')
  console.log(row('open: navigation to all drawn', opened))
  for (const [what, times] of filters) console.log(row(`filter ${what}: event to painted list`, times))
  console.log(row('all filters', [...filters.values()].flat()))
} finally {
  await browser.close()
  await rm(folder, { recursive: true, force: true })
}
