/**
 * Post-mortem records as files, and as a person reads them.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../pipeline/errors.ts'
import { describeRecord, type PostMortem } from '../machine/observe/post-mortem.ts'
import { paint } from './output.ts'

/** Writes each record into the folder as DRIVER-N.json, in order of failure. Throws UsageError when it cannot. */
export function postMortemsTo(folder: string): (record: PostMortem) => void {
  const write = (work: () => void): void => {
    try {
      work()
    } catch (cause) {
      throw new UsageError(`cannot write post-mortem records to ${folder}`, {
        expected: 'a folder that can be made and written',
        where: folder,
        cause,
      })
    }
  }
  write(() => mkdirSync(folder, { recursive: true }))
  const counts = new Map<string, number>()
  return (record) => {
    const count = (counts.get(record.driver) ?? 0) + 1
    counts.set(record.driver, count)
    const path = join(folder, `${record.driver}-${count}.json`)
    write(() => writeFileSync(path, `${JSON.stringify(record, null, 2)}\n`))
  }
}

const EVENTS = 6
const REGISTERS = 12
const hex = (value: number): string => `0x${value.toString(16)}`

/** The record in a screenful: what, where, what it had, what came before. */
export function renderPostMortem(record: PostMortem): string {
  const { fault, domain, devices, replay } = record
  const frames = fault.frames.map(({ function: name, file, line }) => `  at ${name} (${file}:${line})`)
  const held = Object.entries(domain.held).filter(([, count]) => count > 0)
  const short = Object.entries(domain.refused).filter(([, count]) => count > 0)
  const registers = devices.flatMap(({ model, location, registers: all, dma }) => {
    const set = all.filter(({ value }) => value !== 0)
    const shown = set.slice(0, REGISTERS).map(({ name, value }) => `${name} ${hex(value)}`)
    const more = set.length > REGISTERS ? ` and ${set.length - REGISTERS} more` : ''
    return [`${model} at ${location}: ${dma.windows} DMA windows; ${shown.join(', ')}${more}`]
  })
  return [
    paint('bold', `post-mortem of ${domain.name}, generation ${record.generation} (${record.package.tree})`),
    `${fault.kind}: ${fault.message}, at ${(fault.atNs / 1e9).toFixed(9)} s`,
    ...frames,
    `held ${held.map(([name, count]) => `${count} ${name}`).join(', ')}`,
    ...(short.length === 0
      ? []
      : [`refused for quota: ${short.map(([name, count]) => `${count} ${name}`).join(', ')}`]),
    ...domain.waiting.map(
      ({ fiber, frames: at }) => `${fiber} waited in ${at.map((frame) => frame.function).join(' < ')}`,
    ),
    ...registers,
    'last events:',
    ...domain.events.slice(-EVENTS).map((event) => `  ${describeRecord(event)}`),
    `seed ${replay.seed}, event ${replay.event}, log ${replay.eventHash}`,
    ...(replay.command === undefined ? [] : [`again: ${replay.command}`]),
  ].join('\n')
}
