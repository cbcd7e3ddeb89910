/**
 * What Linux answers where drivers notice: for each place in which the kernel under a driver once answered otherwise (issue 10,
 * annex), a case of a suite of our own (drivers-src/answers) or a test that asks it. The suites run as a matrix runs any test.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { openClimber } from '../../cli/matrix-machine.ts'
import { runMatrix } from '../../pipeline/matrix/run.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openWorkspace } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

/** What was answered wrongly -> the cases that ask now: `suite.case`, or a test file beside this one and words of its test. */
const ANNEX: Readonly<Record<string, readonly string[]>> = {
  'a worker never yields between items': ['workqueue.sleeping_item_lets_others_run'],
  'cancel does not hold PENDING': [
    'workqueue.queue_during_cancel_is_refused',
    'workqueue.cancelled_delayed_item_never_runs',
  ],
  'flush waits for idle': [
    'workqueue.flush_waits_for_its_item_only',
    'workqueue.flush_waits_for_what_runs',
    'workqueue.flush_brings_a_delayed_item_forward',
  ],
  'self-requeue spins for ever': ['workqueue.self_requeue_starves_nobody'],
  'max_active wrong': ['workqueue.max_active_holds'],
  'irq domains succeed and map to 0': ['irq.mappings_are_found_and_disposed'],
  'attributes are accepted and dropped, with them groups of device_create_with_groups': ['device.attributes_are_read'],
  'deferred probe retries on the same bus only': [
    'device.deferred_probe_comes_again',
    'device.consumer_waits_for_its_supplier',
  ],
  'a deferring PCI function is discarded': ['answers-pci: whose probe is deferred is asked again'],
  'coherent memory aligned to a page': ['answers-pci: coherent memory is aligned to its order'],
  'alloc_pages_exact looks like vmalloc’s and cannot be mapped for DMA': [
    'mm.exact_pages_are_pages',
    'answers-pci: alloc_pages_exact memory is mapped',
  ],
  'is_vmalloc_addr false past the first page': ['mm.vmalloc_is_known_throughout'],
  // A mapping of these pages, or none: without page tables there is none to be had.
  'vmap of scattered pages is NULL': ['mm.vmap_is_of_these_pages'],
  'unregister_netdevice frees what is still referenced': ['net.unregistering_waits_for_references'],
  '32 MiB a domain, fixed': ['mm.exhaustion_is_an_answer'],
  'kmalloc above 4 MiB granted': ['mm.kmalloc_has_a_largest', 'mm.slab_objects_are_aligned'],
  'CONFIG_PM off': ['device.runtime_pm_calls_the_driver', 'device.autosuspend_waits_its_delay'],
  'CHECKSUM_COMPLETE taken as good unseen': ['net.summed_by_hardware_is_verified'],
  'cpuhp removal runs no teardown': ['core.cpu_state_is_torn_down'],
  'netdevice notifier: no replay at unregister, register ignores errors': [
    'net.notifier_hears_of_who_is_there',
    'net.notifier_that_refuses_is_rolled_back',
    'net.notifier_may_refuse_a_change',
  ],
  'ROM BAR never read': ['answers-pci: the expansion ROM is read'],
  'no PCI quirk runs': ['answers-pci: quirks of the tree’s run'],
  'device_link_add NULL': ['device.consumer_goes_before_its_supplier', 'device.consumer_waits_for_its_supplier'],
  'transmit on queue 0 with linear skbs only, select_queue never called': [
    'answers-net: leaves on the queue that the driver chooses',
    'net.driver_chooses_the_queue',
    'net.pieces_reach_who_can_gather',
  ],
  'sparse MSI-X refused': ['vectors: MSI-X with holes'],
  // Built for one processor, Linux has no one to divide vectors for, and does not ask.
  'calc_sets never called': ['answers-pci: sets of vectors'],
  'bus iteration holds no reference': ['device.walk_survives_who_leaves'],
  'unbind order reversed': ['device.last_bound_is_unbound_first'],
  'device_is_bound true during probe': ['device.bound_after_probe_only'],
  'a NULL handler without ONESHOT accepted': ['irq.no_handler_wants_oneshot'],
  'shared flags barely compared': ['irq.sharing_takes_two_alike'],
  'a screaming line never disabled': ['irq.screaming_line_is_disabled', 'irq.handled_now_and_then_is_no_scream'],
  'RCU callbacks on an ordinary workqueue': ['core.rcu_calls_back_in_softirq', 'core.rcu_barrier_waits_for_them'],
  'user copies never fault': ['core.user_memory_may_not_be_there'],
  'per-CPU alignment ignored': ['mm.percpu_is_aligned'],
  '___ratelimit always 1': ['core.rate_is_limited'],
  'clk and of providers registered and forgotten': [
    'core.clock_is_found_by_its_node',
    'core.clock_is_found_by_its_name',
  ],
  'i2c_register_board_info 0': ['answers: what only a built-in board may call'],
  'proc_create a dummy': ['core.proc_file_is_read'],
  'irq_set_irq_type and _wake 0': ['irq.type_is_the_chips_answer', 'irq.wake_up_is_the_chips_answer'],
  'legacy port probing ends with no-capability': ['legacy: the bus reads as ones'],
}

/** Cases beyond those places. */
const MORE = [
  'irq.handler_runs_in_interrupt_context',
  'irq.lines_are_masked_and_unmasked',
  'irq.edge_is_kept_while_disabled',
  'irq.thread_takes_over',
  'irq.nested_runs_in_its_parents_thread',
]

const SUITES = ['core', 'device', 'irq', 'mm', 'net', 'workqueue']
const FOLDER = join(packageRoot, 'drivers-src/answers')

/** The cases of a suite, as its source lists them. */
const casesOf = (suite: string): string[] => {
  const source = readFileSync(join(FOLDER, `answers_${suite}.c`), 'utf8')
  return [...source.matchAll(/KUNIT_CASE\((\w+)\)/g)].map(([, name]) => `${suite}.${name}`)
}

/** Titles of the tests in a file beside this one. */
const titlesOf = (file: string): string[] => {
  const source = readFileSync(join(packageRoot, 'test/real', `${file}.test.ts`), 'utf8')
  return [...source.matchAll(/^\s*test(?:\.serial)?\((['`])(.*?)\1/gm)].map(([, , title]) => title!)
}

test('every place in which an answer was wrong is asked about, and no case is forgotten', (t) => {
  const cases = SUITES.flatMap(casesOf)
  const asked = new Set(Object.values(ANNEX).flat())
  for (const [place, those] of Object.entries(ANNEX)) {
    t.true(those.length > 0, place)
    for (const one of those) {
      const [, file, words] = /^([\w-]+): (.*)$/.exec(one) ?? []
      const found = file === undefined ? cases.includes(one) : titlesOf(file).some((title) => title.includes(words!))
      t.true(found, `${place}: ${one}`)
    }
  }
  const more = cases.filter((one) => !asked.has(one))
  t.deepEqual(more, MORE)
})

test('what only a built-in board may call no module can', async (t) => {
  const workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang' })
  const exports = await workspace.tree.exports()
  t.false(exports.has('i2c_register_board_info'))
  t.true(exports.has('i2c_new_client_device'))
  await workspace.close()
})

test('Linux answers', async (t) => {
  const workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang' })
  const climber = openClimber({ seed: 1 })
  try {
    const { rows } = await runMatrix({ ...workspace, selectors: [FOLDER], until: 'operate', seed: 1, climber })
    t.deepEqual(
      rows.map(({ module, rung, reason, detail, tests }) => ({ module, rung, reason, detail, ...tests })),
      SUITES.map((suite) => ({
        module: `answers_${suite}`,
        rung: 'operate',
        reason: '',
        detail: '',
        passed: casesOf(suite).length,
        failed: 0,
        skipped: 0,
        cases: [],
      })),
    )
  } finally {
    await climber.close()
    await workspace.close()
  }
})
