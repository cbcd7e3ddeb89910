/**
 * Every kind of failure, made by a small driver written to make it (drivers-src/faults): named, with the right C line,
 * ending that driver only. The sample runs beside a healthy driver, whose traffic must not notice.
 */
import { join } from 'node:path'
import test from 'ava'
import type { FaultKind } from '../../kernel/fault.ts'
import * as checks from '../../lab/net/checks.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { buildModules, type BuildDocument } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { faultLine, provoke, scene } from './samples.ts'
import { openTestWorkspace } from './workspace.ts'

const FOLDER = join(packageRoot, 'drivers-src/faults')

/** Sample -> how the machine must name it. */
const KINDS: Readonly<Record<string, FaultKind>> = {
  null_dereference: 'null-dereference',
  wild_pointer: 'memory-access',
  mapping_dereference: 'memory-access',
  endless_loop: 'endless-loop',
  stack_overflow: 'stack-overflow',
  bug: 'bug',
  kernel_panic: 'panic',
  out_of_memory: 'out-of-memory',
  out_of_memory_atomic: 'null-dereference',
  sleep_in_atomic: 'sleep-in-atomic',
  foreign_port: 'no-capability',
  foreign_registers: 'no-capability',
  dma_stray: 'dma-stray',
  divide_by_zero: 'divide-by-zero',
  bad_call: 'bad-indirect-call',
  hang: 'hang',
  freed_mapping: 'no-capability',
  double_unmap: 'double-unmap',
  leaked_dma: 'leak',
  lock_held: 'bug',
  lock_not_held: 'bug',
  stale_reference: 'bug',
  double_free: 'heap-corruption',
}

/** Noticed after the mistake, when nothing of the sample is on the stack: the record says what, and how it was left. */
const NO_LINE: Readonly<Record<string, RegExp>> = {
  leaked_dma: /1 DMA windows of .* left open by remove/,
  'lock_held at irq': /handler returned with preempt_count .* a lock is still held/,
  'lock_held at timer': /timer: \S+ preempt leak: 0+101 -> 0+102/,
  'lock_not_held at irq': /handler returned with preempt_count .* released that was not held/,
  'lock_not_held at timer': /timer: \S+ preempt leak: 0+101 -> 0+100/,
}

/** Waiting without end is a fault only where it blocks; blocking in an atomic entry is another fault. */
const WHEN: Readonly<Record<string, readonly string[]>> = {
  hang: ['init', 'probe'],
  dma_stray: ['probe', 'irq', 'timer', 'xmit'],
  foreign_registers: ['probe', 'irq'],
  foreign_port: ['probe', 'xmit'],
  mapping_dereference: ['probe', 'xmit'],
  freed_mapping: ['probe', 'irq'],
  double_unmap: ['probe', 'irq', 'timer', 'xmit'],
  leaked_dma: ['probe', 'irq', 'timer'],
  lock_held: ['irq', 'timer'],
  lock_not_held: ['irq', 'timer'],
  // Where waiting for memory is forbidden, the same is sleeping in atomic context.
  out_of_memory: ['init', 'probe'],
  stale_reference: ['init', 'probe', 'irq', 'xmit'],
}
const ALL_MOMENTS = ['init', 'probe', 'irq', 'timer', 'xmit']

const workspace = await openTestWorkspace()
let built: Promise<BuildDocument> | undefined

async function pack(name: string): Promise<DriverPackage> {
  built ??= buildModules({ tree: workspace.tree, selectors: [FOLDER, 'e1000'], toolchain: workspace.toolchain })
  const module = (await built).modules.find((one) => one.name === name)
  if (module?.package === undefined) throw new Error(`${name} was not built: ${module?.reason} ${module?.detail}`)
  return readPackage(module.package, name)
}

for (const [name, kind] of Object.entries(KINDS)) {
  for (const when of WHEN[name] ?? ALL_MOMENTS) {
    test.serial(`${name} at ${when} is ${kind}, at its C line, and ends that driver only`, async (t) => {
      const at = await scene(pack)
      await provoke(at, await pack(name), when, KINDS[name] === 'leak')
      const [fault, ...more] = at.machine.faults
      t.is(more.length, 0)
      t.is(fault?.domain, name)
      t.is(fault?.kind, kind, fault?.message)
      // The stack overflows on entry to a function, one frame inside of the call that did it.
      const own = fault!.frames.filter((frame) => frame.file.endsWith(`${name}.c`))
      const place = own[kind === 'stack-overflow' ? 1 : 0]
      // A device strays on its own time: whoever runs then has no part in it.
      const said = NO_LINE[name] ?? NO_LINE[`${name} at ${when}`]
      if (said !== undefined) t.regex(fault!.message, said)
      else if (kind === 'dma-stray') t.deepEqual(fault!.frames, [])
      else t.is(place?.line, faultLine(FOLDER, name), JSON.stringify(fault, null, 1))
      t.false(at.bystander.dead)
      t.is(at.sample.fn.dma.windows, 0, 'DMA windows left')
      t.false(at.machine.board.owners.has(at.sample.fn), 'the device is free again')
      const [net] = interfacesOf(at.bystander)
      const up = await checks.linkUp(at.machine, net!)
      t.true(up.ok, up.detail)
      const passed = await checks.traffic(at.machine, net!, at.lan.station('peer'), { frames: 100 })
      t.true(passed.ok, passed.detail)
    })
  }
}
