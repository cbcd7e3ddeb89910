/** The guest on another Node: files from the directory it is given, messages as lines on standard output. */
import { readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runGuest } from './guest.ts'

const dir = process.argv[2]!
await runGuest({
  read: (name) => Promise.resolve(new Uint8Array(readFileSync(join(dir, name)))),
  // Synchronous, so that nothing is lost when the process ends.
  tell: (message) => void writeSync(1, `${JSON.stringify(message)}\n`),
  engine: { name: 'node', version: `${process.version}, V8 ${process.versions.v8}`, arch: process.arch },
})
