/**
 * The matrix as one HTML file that needs nothing else: no server, no network, no build step.
 *
 * The document is embedded packed (payload.ts) and deflated; the script (client/) draws everything from it. A policy in
 * the page forbids whatever is not in it: only this script and this style by their hashes, nothing from anywhere.
 * Knows the matrix document and nothing of how one is made.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { deflateRawSync } from 'node:zlib'
import { REASON_TEXTS } from '../../matrix/reasons.ts'
import { RUNGS, type Rung } from '../../ladder.ts'
import type { MatrixDocument } from '../../matrix/types.ts'
import { packageRoot } from '../../root.ts'
import { bundle } from './bundle.ts'
import { encode } from './payload.ts'

export interface PageOptions {
  /** The matrix to compare with: the earlier one, «before». */
  readonly other?: MatrixDocument
  readonly title?: string
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeText = (text: string): string => text.replace(/[&<>"']/g, (c) => escapes[c]!)

/** A value as the text of a script element of JSON: nothing in it can end the element. */
const inertJson = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c')

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Base64 of raw deflate; main.ts inflates it. */
const packed = (document: MatrixDocument): string =>
  deflateRawSync(JSON.stringify(encode(document)), { level: 9 }).toString('base64')

/** This module's own suffix: TypeScript in a checkout, JavaScript in the published package. */
const clientEntry = (): string => {
  const here = fileURLToPath(import.meta.url)
  return join(here, '..', 'client', `main${extname(here)}`)
}

/** How many rows reached each rung or a higher one, for a reader whose browser runs no script. */
function reached({ rows }: MatrixDocument): (readonly [rung: Rung, count: number])[] {
  const places = rows.map((row) => RUNGS.indexOf(row.rung))
  return RUNGS.flatMap((rung, at) => {
    const count = places.filter((place) => place >= at).length
    return at > 0 && count > 0 ? [[rung, count] as const] : []
  })
}

function facts(document: MatrixDocument): string {
  const { tree, toolchain, drvport, until, shard, sample, interrupted, selectors, summary } = document
  const warnings = [
    ...(interrupted ? ['interrupted: some modules are not in it'] : []),
    ...(sample === undefined ? [] : [`a sample: ${sample.size} modules drawn of ${sample.of}`]),
    ...(shard === undefined ? [] : [`part ${shard.index} of ${shard.of}`]),
  ]
  const terms = [
    ['toolchain', `${toolchain.name} ${toolchain.version}`],
    ['drvport', drvport],
    ['until', until],
    ['modules', selectors.join(' ')],
    ['digest', summary.digest.slice(0, 12)],
  ]
  const list = terms.map(([term, text]) => `<div><dt>${term}</dt><dd>${escapeText(text!)}</dd></div>`).join('')
  return `<h1>${escapeText(tree.name)} <span>${escapeText(tree.version)}</span></h1>
<dl>${list}</dl>${warnings.map((text) => `<p class="warning">${escapeText(text)}</p>`).join('')}`
}

function noScript(document: MatrixDocument): string {
  const rows = reached(document).map(([rung, count]) => `<tr><th>${rung}</th><td>${count}</td></tr>`)
  return `<noscript><p>The list needs JavaScript. Of ${document.rows.length} modules, so many reached:</p><table>${rows.join('')}</table></noscript>`
}

const FILTERS = [
  ['reason', 'Reason'],
  ['class', 'Class'],
  ['bus', 'Bus'],
  ['licence', 'Licence'],
] as const

const filterBar = `<form id="filters" role="search" aria-label="Modules">
<div class="find"><label class="hidden" for="q">Search module, path, symbol or detail</label>
<input id="q" type="search" placeholder="Module, path, symbol or detail" autocomplete="off" autocapitalize="off" spellcheck="false" aria-keyshortcuts="/">
<p id="count" class="count"></p><button type="button" id="clear" hidden aria-keyshortcuts="x">Clear filters</button></div>
<details id="choices" data-fold open><summary>Filters <span id="chosen"></span></summary><div class="choices">
<span class="choice"><label for="test">Rung</label><select id="test" aria-label="Rung: how to compare"><option value="ge">reached</option><option value="is">stopped at</option><option value="lt">below</option></select><select id="rung" aria-label="Rung"><option value="">any rung</option></select></span>
${FILTERS.map(([id, name]) => `<span class="choice"><label for="${id}">${name}</label><select id="${id}"><option value="">any</option></select></span>`).join('\n')}
<span class="choice compared-only"><label for="change">Change</label><select id="change"><option value="">any</option></select></span>
</div></details>
<div id="chips"></div>
</form>`

const overview = `<div class="overview-room"><div class="overview">
<details class="panel" data-fold open><summary><h2>Ladder</h2></summary><div class="scroll" tabindex="0" role="region" aria-label="Ladder"><table>
<thead><tr><th scope="col">Rung</th><td></td><th scope="col" class="number">Reached</th><th scope="col" class="number share">Share</th><th scope="col" class="number difference">Change</th><th scope="col" class="number longer">Stopped here</th></tr></thead>
<tbody id="ladder"></tbody></table></div></details>
<details class="panel" data-fold open><summary><h2>Why they stop</h2></summary><div class="scroll" tabindex="0" role="region" aria-label="Why they stop"><table>
<thead><tr><th scope="col">Reason</th><td></td><th scope="col" class="number">Modules</th></tr></thead>
<tbody id="reasons"></tbody></table></div></details>
<details class="panel" data-fold open><summary><h2>Missing symbols <span id="symbols-count" class="many"></span></h2></summary><div class="scroll" tabindex="0" role="region" aria-label="Missing symbols"><table>
<thead><tr><th scope="col">Symbol</th><td></td><th scope="col" class="number">Modules</th><th scope="col" class="number" title="Modules that lack nothing else">Only one</th></tr></thead>
<tbody id="symbols"></tbody></table></div></details>
</div></div>`

const COLUMNS = [
  ['module', 'Module', true],
  ['dir', 'Folder', 'path'],
  ['rung', 'Rung', true],
  ['reason', 'Reason', true],
  ['detail', 'Detail', false],
  ['missing', 'Missing', true],
  ['change', 'Change', true],
] as const

const columnHeads = COLUMNS.map(([name, title, sort]) => {
  const key = sort === true ? name : sort
  if (key === false) return `<div role="columnheader" class="c-${name}">${title}</div>`
  return `<div role="columnheader" class="c-${name}" data-sort="${key}" aria-sort="none"><button type="button">${title}</button></div>`
}).join('')

const list = `<h2 class="hidden">Modules</h2>
<div id="list" role="table" aria-label="Modules">
<div id="columns" role="rowgroup"><div role="row" class="head" aria-rowindex="1">${columnHeads}</div></div>
<div id="rows" role="rowgroup"></div></div>
<p id="nothing" hidden>No module matches. <button type="button" data-pick='{"q":"","rung":"","reason":"","class":"","bus":"","licence":"","dir":"","sym":"","change":""}'>Clear filters</button></p>`

const KEYS = [
  ['/', 'search'],
  ['j k, ↓ ↑', 'next, previous module; an open panel follows'],
  ['Enter', 'open the module'],
  ['Esc', 'close the panel'],
  ['Home End PgUp PgDn', 'move in the list'],
  ['→ ←', 'open, close a folder'],
  ['x', 'clear the filters'],
  ['t', 'theme: as the system, light, dark'],
  ['?', 'this help'],
] as const

const help = `<dialog id="help" aria-labelledby="help-title"><form method="dialog"><h2 id="help-title">Keys</h2>
<dl class="terms">${KEYS.map(([key, text]) => `<dt><kbd>${key}</kbd></dt><dd>${text}</dd>`).join('')}</dl>
<p>Words in the search must all occur, in a module's name, path, reason, detail or diagnostics, or in a symbol that it lacks. A count beside a choice says how many modules it would leave.</p>
<p>The address holds the view: copy it to send what you see. To compare with another run, drop its JSON file on the page.</p>
<button autofocus>Close</button></form></dialog>`

function body(document: MatrixDocument): string {
  return `<a class="skip" href="#list" id="skip">Skip to the modules</a>
<header id="top">${facts(document)}<div class="tools"><button type="button" id="compare">Compare…</button><input type="file" id="file" accept=".json,application/json" hidden><button type="button" id="theme">Theme: auto</button><button type="button" id="help-open" aria-keyshortcuts="?">Keys</button></div></header>
${noScript(document)}
<p id="status" class="hidden" role="status"></p>
<div id="error" role="alert" hidden><span id="error-text"></span> <button type="button" id="error-close">Close</button></div>
<div class="app">
<nav id="side" aria-label="Folders"><details data-fold open><summary><h2>Folders</h2></summary><p class="folder-heads" aria-hidden="true"><span>modules</span><span>reached ${document.until}</span></p><div id="folders" role="tree" aria-label="Folders"></div></details></nav>
<main id="main">${filterBar}
<div id="compared" hidden><p id="compared-text"></p><p id="compared-kinds"></p><button type="button" id="uncompare">Stop comparing</button></div>
${overview}
${list}</main>
<aside id="detail" aria-labelledby="detail-title" hidden><header><h2 id="detail-title" tabindex="-1"></h2><button type="button" id="close" aria-keyshortcuts="Escape">Close</button></header><div id="detail-body"></div></aside>
</div>
${help}`
}

/** The page of `document`, as the text of an HTML file. The same documents give the same text. */
export function renderPage(document: MatrixDocument, options: PageOptions = {}): string {
  const script = `\n${bundle(clientEntry())}\n`
  const style = readFileSync(join(packageRoot, 'pipeline/report/page/page.css'), 'utf8')
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ')
  const title = options.title ?? `${document.tree.name} ${document.tree.version} · drvport matrix`
  const data = (id: string, text: string) => `<script type="text/plain" id="${id}">${text}</script>`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="drvport ${escapeText(document.drvport)}">
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
${body(document)}
${data('matrix', packed(document))}
${options.other === undefined ? '' : data('other', packed(options.other))}
<script type="application/json" id="reason-texts">${inertJson(REASON_TEXTS)}</script>
<script type="module">${script}</script>
</body>
</html>
`
}
