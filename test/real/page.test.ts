/**
 * The page of a matrix in Debian's chromium, headless: what a reader sees and does, on a matrix as large as a tree's.
 * Every count that the page shows is held to one taken from the document here.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import type { Browser, Page } from 'puppeteer-core'
import { launchChromium } from '../../bench/browser.ts'
import { laterMatrix, syntheticMatrix } from '../../bench/synthetic-matrix.ts'
import { compact } from '../../pipeline/matrix/compact.ts'
import { summarize } from '../../pipeline/matrix/summary.ts'
import { rungIndex } from '../../pipeline/ladder.ts'
import type { MatrixDocument, MatrixRow } from '../../pipeline/matrix/types.ts'
import { renderPage, type PageOptions } from '../../pipeline/report/page/index.ts'

interface World {
  browser: Browser
  folder: string
  /** A page of the large matrix, written once. */
  url: string
}

const test = anyTest as TestFn<World>
const matrix = syntheticMatrix()

/** In the order in which the page starts: by folder, then by path. */
const folderOf = (path: string): string => path.slice(0, path.lastIndexOf('/'))
const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const rows = matrix.rows.toSorted((a, b) => order(folderOf(a.path), folderOf(b.path)) || order(a.path, b.path))

test.before(async (t) => {
  t.timeout(600_000, 'bringing chromium')
  const folder = await mkdtemp(join(tmpdir(), 'drvport-page-'))
  const file = join(folder, 'matrix.html')
  await writeFile(file, renderPage(matrix))
  Object.assign(t.context, { browser: await launchChromium(), folder, url: pathToFileURL(file).href })
})

test.after.always(async (t) => {
  await t.context.browser?.close()
  if (t.context.folder !== undefined) await rm(t.context.folder, { recursive: true, force: true })
})

const DESK = { width: 1440, height: 900 }
const PHONE = { width: 360, height: 740 }

/** Opens a page and fails the test on anything the browser complains of: an exception, a refused or a failed load. */
async function open(t: ExecutionContext<World>, url: string, viewport = DESK): Promise<Page> {
  const context = await t.context.browser.createBrowserContext()
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`the page threw: ${String(error)}`))
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && t.fail(message.text()))
  page.on('request', (request) => {
    if (!request.url().startsWith('file:') && !request.url().startsWith('blob:')) t.fail(`asked for ${request.url()}`)
  })
  page.on('dialog', (dialog) => t.fail(`a dialog: ${dialog.message()}`))
  t.teardown(() => context.close())
  // A computer that does much else at once is slow, not wrong.
  page.setDefaultTimeout(120_000)
  await page.setViewport(viewport)
  await page.goto(url)
  await page.waitForSelector('body[data-ready]')
  return page
}

async function openMatrix(t: ExecutionContext<World>, document: MatrixDocument, options: PageOptions = {}) {
  const file = join(t.context.folder, `${t.title.replaceAll(/\W+/g, '-')}.html`)
  await writeFile(file, renderPage(document, options))
  return open(t, pathToFileURL(file).href)
}

const textOf = (page: Page, selector: string): Promise<string> =>
  page.$eval(selector, (element) => (element as HTMLElement).innerText)

/** The number that the page says it lists; 8,963 when nothing is filtered. */
const listed = async (page: Page): Promise<number> => {
  const said = await textOf(page, '#count')
  return Number(said.match(/^[\d,]+/)?.[0].replaceAll(',', ''))
}

/** Modules of the rows on the screen, from the top. */
const onScreen = (page: Page): Promise<string[]> =>
  page.$$eval('#rows .row', (elements) =>
    elements
      .map((element) => [element.getBoundingClientRect().top, element.querySelector('a')!.textContent] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, name]) => name),
  )

const names = (some: readonly MatrixRow[]): string[] => some.map((row) => row.module)

const search = async (page: Page, text: string): Promise<void> => {
  await page.$eval('#q', (input) => ((input as HTMLInputElement).value = ''))
  await page.focus('#q')
  await page.keyboard.type(text)
}

/** What a search must find, said independently of the page. */
const matches = (row: MatrixRow, words: string): boolean =>
  words
    .toLowerCase()
    .split(' ')
    .every((word) => {
      const said = row.diagnostics.flatMap(({ file, message }) => [file, message])
      const texts = [
        row.module,
        row.path,
        row.reason,
        row.detail,
        ...said,
        ...row.missing,
        ...row.pretends,
        ...row.traps,
      ]
      return texts.some((text) => text.toLowerCase().includes(word))
    })

test.serial('the whole matrix is listed, and only what is seen is in the page', async (t) => {
  const page = await open(t, t.context.url)
  t.is(await listed(page), rows.length)
  t.is(await page.$eval('#list', (list) => list.getAttribute('aria-rowcount')), String(rows.length + 1))
  t.true((await page.$$('#rows .row')).length < 100)
  await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight))
  await page.waitForFunction(
    (last) => document.querySelector('#rows')!.textContent.includes(last),
    {},
    rows.at(-1)!.module,
  )
  t.is((await onScreen(page)).at(-1), rows.at(-1)!.module)
  t.true((await page.$$('#rows .row')).length < 100)
})

test.serial('each filter lists exactly the rows it describes', async (t) => {
  const page = await open(t, t.context.url)
  const needed = 'usb_device_init_3'
  const cases: [string, (row: MatrixRow) => boolean][] = [
    ['q=realtek', (row) => matches(row, 'realtek')],
    ['q=ETHERNET+marvell', (row) => matches(row, 'ethernet marvell')],
    ['q=skb_alloc', (row) => matches(row, 'skb_alloc')],
    ['q=no-such-thing-anywhere', () => false],
    ['rung=ge:link', (row) => rungIndex(row.rung) >= rungIndex('link')],
    ['rung=is:link', (row) => row.rung === 'link'],
    ['rung=lt:link', (row) => rungIndex(row.rung) < rungIndex('link')],
    ['reason=unresolved-symbol', (row) => row.reason === 'unresolved-symbol'],
    ['reason=none', (row) => row.reason === ''],
    ['class=sound', (row) => row.classes.includes('sound')],
    ['bus=i2c', (row) => row.buses.includes('i2c')],
    ['licence=text:GPL+v2', (row) => row.licenses.includes('GPL v2')],
    ['licence=spdx:MIT', (row) => row.spdx.includes('MIT')],
    ['licence=gpl:no', (row) => row.gplOnly.length === 0],
    ['dir=drivers/net', (row) => row.path.startsWith('drivers/net/')],
    [`sym=${needed}`, (row) => row.missing.includes(needed)],
    [
      'q=intel&reason=unresolved-symbol&bus=usb&dir=drivers',
      (row) =>
        matches(row, 'intel') &&
        row.reason === 'unresolved-symbol' &&
        row.buses.includes('usb') &&
        row.path.startsWith('drivers/'),
    ],
  ]
  for (const [hash, keep] of cases) {
    await page.evaluate((to) => (location.hash = to), hash)
    await page.waitForFunction((to) => location.hash === `#${to}`, {}, hash)
    const expected = rows.filter(keep)
    t.is(await listed(page), expected.length, hash)
    t.deepEqual((await onScreen(page)).slice(0, 12), names(expected).slice(0, 12), hash)
  }
})

test.serial('the totals and rankings are those of the document', async (t) => {
  const page = await open(t, t.context.url)
  const ladder = await page.$$eval('#ladder tr', (all) =>
    all.map((row) => [row.querySelector('th')!.textContent, row.querySelector('.number')!.textContent] as const),
  )
  for (const [rung, reached] of ladder) {
    const expected = rows.filter((row) => rungIndex(row.rung) >= rungIndex(rung as MatrixRow['rung'])).length
    t.is(reached, expected.toLocaleString('en'), rung)
  }
  t.deepEqual(
    ladder.map(([rung]) => rung),
    ['verify', 'link', 'compile', 'parse'],
  )
  const needs = new Map<string, number>()
  for (const symbol of rows.flatMap((row) => row.missing)) needs.set(symbol, (needs.get(symbol) ?? 0) + 1)
  const [first] = [...needs].toSorted(([, a], [, b]) => b - a)
  const top = await page.$eval('#symbols tr', (row) => [
    row.querySelector('code')!.textContent,
    row.querySelector('td.number')!.textContent,
  ])
  t.deepEqual(top, [first![0], first![1].toLocaleString('en')])
  const folder = await page.$eval('[data-path="sound"]', (element) => element.textContent)
  const sound = rows.filter((row) => row.path.startsWith('sound/'))
  const verified = sound.filter((row) => row.rung === 'verify').length
  const share = ((verified / sound.length) * 100).toFixed(1)
  t.is(folder, `▸sound ${sound.length.toLocaleString('en')} modules, ${share} % reached verify`)
})

test.serial('columns sort both ways', async (t) => {
  const page = await open(t, t.context.url)
  await page.click('.c-missing button')
  const most = rows.toSorted((a, b) => b.missing.length - a.missing.length)
  const shown = await page.$$eval('#rows .row', (all) =>
    all
      .toSorted((a, b) => a.getBoundingClientRect().top - b.getBoundingClientRect().top)
      .map((row) => Number(row.querySelector('.c-missing')!.textContent || 0)),
  )
  t.deepEqual(
    shown,
    most.slice(0, shown.length).map((row) => row.missing.length),
  )
  t.is(await page.$eval('.head .c-missing', (head) => head.getAttribute('aria-sort')), 'descending')
  await page.click('.c-module button')
  t.is((await onScreen(page))[0], names(rows).toSorted()[0])
})

test.serial('an address opens the view it names, and back returns', async (t) => {
  const row = rows.find((one) => one.reason === 'compile-error')!
  const page = await open(t, `${t.context.url}#reason=compile-error&sort=-module&open=${row.path}`)
  const expected = rows.filter((one) => one.reason === 'compile-error')
  t.is(await listed(page), expected.length)
  t.is(await textOf(page, '#detail-title'), row.module)
  t.deepEqual((await onScreen(page))[0], names(expected).toSorted().at(-1))
  const detail = await textOf(page, '#detail-body')
  const [diagnostic] = row.diagnostics
  t.true(detail.includes(`${diagnostic!.file}:${diagnostic!.line}`))
  t.true(detail.includes(diagnostic!.source!.trim()))
  await page.click('#close')
  t.is(await page.$('#detail:not([hidden])'), null)
  await page.click('#clear')
  t.is(await listed(page), rows.length)
  await page.goBack()
  await page.goBack()
  await page.waitForSelector('#detail:not([hidden])')
  t.is(await listed(page), expected.length)
  await page.goForward()
  await page.waitForSelector('#detail[hidden]')
})

test.serial('everything can be done from the keyboard', async (t) => {
  const page = await open(t, t.context.url)
  const focused = () => page.evaluate(() => document.activeElement!.textContent)
  await page.keyboard.press('/')
  await page.keyboard.type('realtek')
  const found = rows.filter((row) => matches(row, 'realtek'))
  t.is(await listed(page), found.length)
  await page.keyboard.press('ArrowDown')
  t.is(await focused(), found[0]!.module)
  await page.keyboard.press('j')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('k')
  t.is(await focused(), found[1]!.module)
  await page.keyboard.press('Enter')
  await page.waitForSelector('#detail:not([hidden])')
  t.is(await focused(), found[1]!.module, 'the heading of the panel')
  await page.keyboard.press('j')
  t.is(await textOf(page, '#detail-title'), found[2]!.module)
  await page.keyboard.press('Escape')
  t.is(await page.$('#detail:not([hidden])'), null)
  t.is(await focused(), found[2]!.module)
  await page.keyboard.press('End')
  t.is(await focused(), found.at(-1)!.module)
  await page.keyboard.press('x')
  t.is(await listed(page), rows.length)
  await page.keyboard.press('?')
  await page.waitForSelector('#help[open]')
  await page.keyboard.press('Escape')
  await page.waitForSelector('#help:not([open])')
  await page.focus('#folders [tabindex="0"]')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  const [folder] = rows.map((row) => row.path.split('/')[0])
  t.is(await listed(page), rows.filter((row) => row.path.startsWith(`${folder}/`)).length)
})

test.serial('the reader of a screen hears how many are left', async (t) => {
  const page = await open(t, t.context.url)
  await search(page, 'realtek')
  const left = rows.filter((row) => matches(row, 'realtek')).length.toLocaleString('en')
  await page.waitForFunction((said) => document.querySelector('[role=status]')!.textContent.startsWith(said), {}, left)
  t.pass()
})

test.serial('a missing symbol leads to the modules that lack it', async (t) => {
  const row = rows.find((one) => one.missing.length > 5 && one.missing.length < 30)!
  const page = await open(t, `${t.context.url}#open=${row.path}`)
  const symbol = await page.$eval('.symbols a code', (code) => code.textContent)
  await page.click('.symbols a')
  t.is(await listed(page), rows.filter((one) => one.missing.includes(symbol)).length)
  await page.click('.chip')
  t.is(await listed(page), rows.length)
})

test.serial('what a source says stays text', async (t) => {
  const hostile = `</script><img src=x onerror="document.body.dataset.owned='yes'"><script>document.body.dataset.owned='yes'</script>`
  const [first] = rows
  const row: MatrixRow = {
    ...first!,
    module: hostile,
    path: `drivers/x/${hostile.replaceAll('/', '|')}.ko`,
    rung: 'parse',
    reason: 'compile-error',
    detail: hostile,
    buses: [hostile],
    licenses: [hostile],
    missing: [hostile],
    diagnostics: [{ file: hostile, line: 1, message: hostile, source: hostile }],
  }
  const few = [row]
  const page = await openMatrix(
    t,
    { ...matrix, rows: few, summary: summarize(few), tree: { name: hostile, version: hostile }, selectors: [hostile] },
    { title: hostile },
  )
  await page.click('#rows a')
  await page.waitForSelector('#detail:not([hidden])')
  t.true((await textOf(page, '#detail-body')).includes(hostile))
  t.is(await page.evaluate(() => document.body.dataset['owned']), undefined)
  t.is(await page.$('img'), null)
  t.true((await textOf(page, '#top h1')).includes('onerror'))
})

/** Paths by what became of them, said independently of the page. */
function differences(now: MatrixDocument, before: MatrixDocument) {
  const old = new Map(before.rows.map((row) => [row.path, row]))
  const paths = new Set(now.rows.map((row) => row.path))
  const both = now.rows.flatMap((row) => (old.has(row.path) ? [[row, old.get(row.path)!] as const] : []))
  const up = (row: MatrixRow, was: MatrixRow) => rungIndex(row.rung) - rungIndex(was.rung)
  const level = both.filter(([row, was]) => up(row, was) === 0)
  return {
    gained: both.filter(([row, was]) => up(row, was) > 0).length,
    lost: both.filter(([row, was]) => up(row, was) < 0).length,
    changed: level.filter(([row, was]) => row.reason !== was.reason).length,
    detailed: level.filter(([row, was]) => row.reason === was.reason && row.detail !== was.detail).length,
    appeared: now.rows.filter((row) => !old.has(row.path)).length,
    vanished: before.rows.filter((row) => !paths.has(row.path)).length,
  }
}

async function checkDifferences(t: ExecutionContext<World>, page: Page, now: MatrixDocument, before: MatrixDocument) {
  const expected = differences(now, before)
  for (const [kind, count] of Object.entries(expected)) {
    t.true(count > 0, `no ${kind} in the sample`)
    await page.click(`#compared-kinds .${kind}`)
    t.is(await listed(page), count, kind)
  }
  await page.click('#clear')
  t.is(await listed(page), now.rows.length)
}

test.serial('two runs are compared: embedded', async (t) => {
  const later = laterMatrix(matrix)
  await checkDifferences(t, await openMatrix(t, later, { other: matrix }), later, matrix)
})

test.serial('two runs are compared: a file opened by the reader', async (t) => {
  const earlier = laterMatrix(matrix, 7)
  const files = { 'earlier.json': JSON.stringify(earlier), 'earlier.json.gz': gzipSync(compact(earlier)) }
  for (const [name, data] of Object.entries(files)) await writeFile(join(t.context.folder, name), data)
  const page = await open(t, t.context.url)
  const input = (await page.$('#file')) as unknown as { uploadFile(...files: string[]): Promise<void> }
  const bad = join(t.context.folder, 'bad.json')
  await writeFile(bad, '{"schema": "drvport.build/1"}')
  await input.uploadFile(bad)
  await page.waitForSelector('#error:not([hidden])')
  t.regex(await textOf(page, '#error-text'), /bad\.json is not a matrix.*drvport\.build\/1.*drvport\.matrix\/1/)
  for (const name of Object.keys(files)) {
    await input.uploadFile(join(t.context.folder, name))
    await page.waitForSelector('#compared:not([hidden])')
    await page.waitForFunction((text) => document.querySelector('#compared-text')!.textContent.includes(text), {}, name)
    t.is(await page.$('#error:not([hidden])'), null)
    await checkDifferences(t, page, matrix, earlier)
  }
  await page.click('#uncompare')
  t.is(await page.$('#compared:not([hidden])'), null)
})

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

interface AxeViolation {
  id: string
  nodes: { target: string[]; failureSummary: string }[]
}
type Axe = { run(context: string, options: object): Promise<{ violations: AxeViolation[] }> }

/** What axe finds wrong within `selector`: each rule once, with the first place. */
async function violations(page: Page, selector: string): Promise<string[]> {
  await page.evaluate(await readFile(axe, 'utf8'))
  return page.evaluate(async (within) => {
    const { axe: found } = globalThis as unknown as { axe: Axe }
    const { violations: all } = await found.run(within, { resultTypes: ['violations'] })
    return all.map(
      ({ id, nodes: [first, ...more] }) =>
        `${id} at ${first!.target.join(' ')} and ${more.length} more: ${first!.failureSummary}`,
    )
  }, selector)
}

for (const theme of ['light', 'dark'] as const) {
  for (const [device, viewport] of Object.entries({ desk: DESK, phone: PHONE })) {
    test.serial(`accessible: ${theme}, ${device}`, async (t) => {
      const page = await open(t, t.context.url, viewport)
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }])
      // Controls go over to their new colours: that is over first.
      await page.evaluate(async () => {
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))
        await Promise.all(document.getAnimations().map(({ finished }) => finished))
      })
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      t.is(background === 'rgb(255, 255, 255)', theme === 'light')
      await page.$$eval('details', (all) => all.forEach((details) => (details.open = true)))
      t.deepEqual(await violations(page, 'html'), [])
      const shown = [
        rows.find((row) => row.reason === 'compile-error')!,
        rows.find((row) => row.missing.length > 20)!,
        rows.find((row) => row.rung === 'verify' && row.traps.length > 0)!,
      ]
      for (const { path } of shown) {
        await page.evaluate((to) => (location.hash = `open=${to}`), path)
        await page.waitForSelector('#detail:not([hidden])')
        await page.$$eval('#detail details', (all) => all.forEach((details) => (details.open = true)))
        t.deepEqual(await violations(page, '#detail'), [], path)
      }
    })
  }
}

test.serial('a phone needs no sideways scrolling', async (t) => {
  const page = await open(t, t.context.url, PHONE)
  const row = rows.find((one) => one.missing.length > 20)!
  for (const hash of ['', `open=${row.path}`]) {
    await page.evaluate((to) => (location.hash = to), hash)
    await page.$$eval('details', (all) => all.forEach((details) => (details.open = true)))
    t.is(await page.evaluate(() => document.documentElement.scrollWidth), PHONE.width, hash)
  }
})

test.serial('the theme is chosen, and kept for the next visit', async (t) => {
  const page = await open(t, t.context.url)
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }])
  await page.keyboard.press('t')
  await page.keyboard.press('t')
  t.is(await textOf(page, '#theme'), 'Theme: dark')
  await page.reload()
  await page.waitForSelector('body[data-ready]')
  t.is(await textOf(page, '#theme'), 'Theme: dark')
  t.not(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)')
})
