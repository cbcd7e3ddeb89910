/** The verifier held to the modules that it must accept and those that it must refuse, and to bytes that somebody broke. */
import { deepEqual, equal, ok } from 'node:assert/strict'
import fc from 'fast-check'
import { verifyCore } from '../../../pipeline/verify/index.ts'
import { boundAccepted, boundMisjudged, boundRefusals } from './_bound.ts'
import { DEFAULT_ALLOWANCE, allowanceFor } from '../../../pipeline/verify/allowance.ts'
import { policyProblems } from '../../../pipeline/verify/manifest.ts'
import { wasiType } from '../../../pipeline/verify/wasi.ts'
import { accepted, claimed, misjudged, offering, refusals } from './_cases.ts'
import { claimsOf, core } from './_core.ts'

/** Some bytes changed, the file cut short or bytes put in: whatever a broken disk or a hostile hand does. */
const mutation = fc.record({
  edits: fc.array(fc.record({ at: fc.nat(), value: fc.nat(255) }), { maxLength: 4 }),
  cut: fc.option(fc.nat()),
  insert: fc.option(fc.record({ at: fc.nat(), bytes: fc.uint8Array({ maxLength: 8 }) })),
})

/** A mutated module is refused with a reason, or accepted by the engine too. Throws when one is not. */
export function holdMutated(runs: number, seed: number): void {
  const good = core()
  fc.assert(
    fc.property(mutation, ({ edits, cut, insert }) => {
      let bytes: Uint8Array = good.slice()
      for (const { at, value } of edits) bytes[at % bytes.length] = value
      if (insert !== null) {
        const at = insert.at % bytes.length
        bytes = Buffer.concat([bytes.subarray(0, at), insert.bytes, bytes.subarray(at)])
      }
      if (cut !== null) bytes = bytes.subarray(0, cut % bytes.length)
      const verdict = verifyCore(bytes, claimsOf(bytes))
      if (verdict.ok) return WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)
      return verdict.problems.length > 0 && verdict.problems.every((p) => p.where !== '' && p.message !== '')
    }),
    { numRuns: runs, seed },
  )
}

/** Calls by which files are read, as WASI preview 1 has them: their parameters, where some are of 64 bits. */
const FILE_CALLS: Readonly<Record<string, string>> = {
  fd_close: 'i32',
  fd_pread: 'i32 i32 i32 i64 i32',
  fd_prestat_get: 'i32 i32',
  path_filestat_get: 'i32 i32 i32 i32 i32',
  path_open: 'i32 i32 i32 i32 i32 i64 i64 i32 i32',
}

/** What it knows of calls and limits, and finds out of what is offered. Throws when it is something else. */
export function holdToFacts(): void {
  for (const [name, params] of Object.entries(FILE_CALLS))
    deepEqual(wasiType(name), { params: params.split(' '), results: ['i32'] }, name)
  const { memoryPagesMax, tableEntriesMax, bytesMax, functionsMax } = DEFAULT_ALLOWANCE
  deepEqual([memoryPagesMax, tableEntriesMax, bytesMax, functionsMax], [1024, 0x10000, 0x200_0000, 100_000])
  const offers = offering.make()
  const said = verifyCore(offers, { ...claimsOf(offers), ...offering.claims })
  ok(said.ok, 'what it offers has these types')
  equal(said.facts.functions.get('imported')!.depth, 0)
  // No more is told than somebody reads.
  const data = new Map(Array.from({ length: 60 }, (_, i) => [`at ${i}`, { address: i }]))
  const many = verifyCore(offers, { ...claimsOf(offers), ...offering.claims, data })
  equal(many.ok || many.problems.length, 50)
  // A file that is too large is not read.
  const large = new Uint8Array(2000)
  const problems = verifyCore(large, claimsOf(large), allowanceFor([], { bytesMax: 1999 }))
  equal(problems.ok || problems.problems.length, 1)
}

/** Throws when it says something else. */
export function holdVerifierToCases(runs: number, _length: number, seed: number): void {
  for (const [title, make] of Object.entries(accepted)) {
    const bytes = make()
    ok(verifyCore(bytes, claimsOf(bytes)).ok, title)
  }
  const bytes = core()
  const said = verifyCore(bytes, { ...claimsOf(bytes), ...claimed })
  ok(said.ok, 'what it says it offers is there')
  deepEqual([...said.facts.functions.keys()], ['f'])
  equal(said.facts.functions.get('f')!.slot, 1)
  const manifest = { imports: ['mmio.read8'], capabilities: ['mmio'] }
  equal(policyProblems(manifest, DEFAULT_ALLOWANCE).length, 0)
  equal(policyProblems(manifest, allowanceFor([])).length, 1)
  for (const [title, refusal] of Object.entries(refusals)) equal(misjudged(refusal), undefined, title)
  for (const [title, some] of Object.entries({ ...boundAccepted, ...boundRefusals }))
    equal(boundMisjudged(some), undefined, title)
  holdToFacts()
  holdMutated(runs, seed)
}
