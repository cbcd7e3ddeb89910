/** Matrices for tests: a small one with everything that occurs, and any one that fast-check can think of. */
import fc from 'fast-check'
import { byPath, summarize } from '../../../pipeline/matrix/summary.ts'
import { RUNGS } from '../../../pipeline/ladder.ts'
import { REASONS, type MatrixDocument, type MatrixRow } from '../../../pipeline/matrix/types.ts'

export function row(path: string, rest: Partial<MatrixRow> = {}): MatrixRow {
  return {
    module: path.slice(path.lastIndexOf('/') + 1).replace(/\.ko$/, ''),
    path,
    rung: 'link',
    reason: '',
    detail: '',
    ms: { compile: 1200, link: 40, total: 1300 },
    buses: [],
    classes: [],
    licenses: ['GPL'],
    spdx: ['GPL-2.0-only'],
    gplOnly: [],
    missing: [],
    pretends: [],
    traps: [],
    imports: [],
    capabilities: [],
    diagnostics: [],
    sources: 1,
    changedBytes: 0,
    ...rest,
  }
}

export function matrix(rows: readonly MatrixRow[], rest: Partial<MatrixDocument> = {}): MatrixDocument {
  return {
    schema: 'drvport.matrix/1',
    tree: { name: 'linux-6.1', version: '6.1.192' },
    toolchain: { name: 'clang', version: '22.1.8' },
    drvport: '0.1.0+1bc0b9f',
    selectors: ['all'],
    until: 'link',
    seed: 1,
    interrupted: false,
    rows: rows.toSorted(byPath),
    summary: summarize(rows),
    ms: 61_000,
    ...rest,
  }
}

const at = (rung: MatrixRow['rung'], reason: MatrixRow['reason'], detail: string) => ({ rung, reason, detail })
const lacking = (...missing: string[]) => ({
  ...at('compile', 'unresolved-symbol', `${missing.length} missing: ${missing.slice(0, 5).join(', ')}`),
  missing,
})
const NIC = { buses: ['pci'], classes: ['net'] }

/** Every reason, several rungs, and text that each format has trouble with. */
export const sample: MatrixDocument = matrix(
  [
    row('drivers/net/ethernet/realtek/8139too.ko', {
      ...NIC,
      rung: 'traffic',
      imports: ['dma.map', 'irq.attach', 'log.write', 'mmio.read32'],
      capabilities: ['dma', 'irq', 'log', 'mmio'],
      gplOnly: ['pci_enable_device', 'pcim_iomap'],
      wasm: { sha256: 'a'.repeat(64), bytes: 131_072 },
      ms: { compile: 1200, link: 40, total: 1300, load: 20, init: 5, probe: 12 },
    }),
    row('drivers/net/ethernet/realtek/8139cp.ko', { ...NIC, rung: 'traffic', pretends: ['led_off'] }),
    row('drivers/net/ethernet/intel/e1000/e1000.ko', {
      ...NIC,
      ...at('probe', 'not-bound', 'probe returned -5 (EIO)'),
    }),
    row('drivers/net/ethernet/intel/ice/ice.ko', {
      ...NIC,
      ...lacking('__auxiliary_driver_register', 'bpf_prog_put', 'xdp_do_flush'),
      licenses: ['GPL v2'],
    }),
    row('drivers/net/ethernet/intel/igc/igc.ko', { ...NIC, ...lacking('bpf_prog_put', 'xdp_do_flush') }),
    row('drivers/net/ethernet/intel/iavf/iavf.ko', { ...NIC, ...lacking('bpf_prog_put') }),
    row('drivers/net/dummy.ko', { classes: ['net'], ...at('init', 'no-device-model', 'no bus it binds on') }),
    row('drivers/gpu/drm/radeon/radeon.ko', {
      ...at('parse', 'compile-error', "drivers/gpu/drm/radeon/radeon_device.c:41: use of undeclared identifier 'a|b'"),
      diagnostics: [
        {
          file: 'drivers/gpu/drm/radeon/radeon_device.c',
          line: 41,
          message: 'use of undeclared identifier \'a|b\'; did you mean `x<y>` & "z"? ]]> # SKIP',
          source: '\tif (a<b && c>d) /* ok 1 - */ return "<![CDATA[" \\',
        },
      ],
      spdx: ['MIT'],
      licenses: ['GPL and additional rights'],
    }),
    row(
      'drivers/gpu/drm/ttm/ttm.ko',
      at('parse', 'compiler-crash', 'clang: signal 11 while reading \u001b[31mttm_bo.c\u001b[0m'),
    ),
    row(
      'drivers/staging/odd name/it_s#a|t*e_s`t.ko',
      at('parse', 'timeout', 'compile took more than 300 s\nnot ok 7 | `code` \u0000\ud800'),
    ),
    row('drivers/staging/big.ko', at('parse', 'out-of-memory', 'compile took more than 4 GB')),
    row('drivers/staging/gone.ko', at('none', 'no-source', 'drivers/staging/gone.c')),
    row('drivers/staging/nonsense.ko', at('parse', 'wrong-output', 'object is empty')),
    row('fs/ext4/ext4.ko', at('compile', 'link-error', 'wasm-ld: error: undefined type: <x>')),
    row('fs/fat/vfat.ko', at('compile', 'dependency-failed', 'fat')),
    row('sound/core/snd.ko', at('link', 'refused', 'function 12 at 0x40: import env.x')),
    row('sound/core/snd-pcm.ko', at('verify', 'load-error', 'CompileError: too many locals')),
    row('sound/usb/snd-usb-audio.ko', at('load', 'init-failed', '-19 (ENODEV)')),
    row('sound/pci/ens1370.ko', at('init', 'fault', 'NULL dereference in snd_ens_probe (sound/pci/ens1370.c:2039)')),
    row('sound/pci/intel8x0.ko', at('operate', 'check-failed', 'contents: 3 of 64 frames differ')),
    row('crypto/ccm.ko', at('none', 'interrupted', '')),
    row('crypto/xts.ko', at('none', 'internal-error', 'TypeError: x is undefined')),
    row('top.ko', { rung: 'traffic' }),
  ],
  { until: 'traffic', interrupted: true },
)

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,7}$/)
const names = fc.uniqueArray(name, { maxLength: 5 }).map((list) => list.toSorted())
/** Any text at all: controls, halves of surrogate pairs, markup. */
export const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '|',
      '`',
      '\\',
      '#',
      '<',
      '>',
      '&',
      '"',
      "'",
      '\n',
      '\r',
      '\t',
      ' ',
      '\0',
      '\x1b',
      '\ud800',
      '\udc00',
      '\uffff',
      '_',
      '*',
      '[',
      ']',
      '$',
      '~',
      '%',
      'a',
      ']]>',
      ' # SKIP ',
      '&amp;',
      '-->',
      '\u2028',
      '\x85',
    ),
  }),
)

const anyRow = fc
  .record({
    dir: fc.array(name, { minLength: 1, maxLength: 3 }),
    module: name,
    rung: fc.constantFrom(...RUNGS),
    reason: fc.constantFrom('' as const, ...REASONS),
    detail: anyText,
    missing: names,
    gplOnly: names,
    imports: names,
    licenses: fc.array(anyText, { maxLength: 2 }),
    pretends: names,
    diagnostics: fc.array(fc.record({ file: anyText, line: fc.nat(), message: anyText, source: anyText }), {
      maxLength: 2,
    }),
    ms: fc.dictionary(name, fc.nat()),
  })
  .map(({ dir, module, ...rest }) => row(`${dir.join('/')}/${module}.ko`, rest))

/** Any rows, each path once, by path. */
export const anyRows = fc
  .uniqueArray(anyRow, { selector: ({ path }) => path, maxLength: 12 })
  .map((rows) => rows.toSorted(byPath))
export const anyMatrix: fc.Arbitrary<MatrixDocument> = fc
  .record({ rows: anyRows, until: fc.constantFrom(...RUNGS.slice(1)) })
  .map(({ rows, until }) => matrix(rows, { until }))
