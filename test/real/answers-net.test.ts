/**
 * What Linux answers where drivers notice, of frames that come from outside: they take the transmit queue that the driver
 * chooses for them (drivers-src/answers/queues). Another part of test/real/answers.test.ts.
 */
import { join } from 'node:path'
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { perform } from '../../lab/commands.ts'
import * as control from '../../machine/class/net/control.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { createMachine } from '../../machine/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { packageRoot } from '../../pipeline/root.ts'
import { openTestWorkspace } from './workspace.ts'

const FRAMES = 200

test('a frame of the machine’s leaves on the queue that the driver chooses, and waits where that is full', async (t) => {
  const workspace = await openTestWorkspace()
  const folder = join(packageRoot, 'drivers-src/answers/queues')
  const { modules } = await buildModules({ ...workspace, selectors: [folder] })
  const [module] = modules
  if (module?.package === undefined) throw new Error(`${module?.reason} ${module?.detail}`)
  const machine = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
  const driver = await machine.load(await readPackage(module.package, module.name))
  const [net] = interfacesOf(driver)
  await control.open(net!)
  let sent = 0
  net!.source = {
    fill(into, at, room) {
      if (sent === FRAMES || room < 60) return 0
      into.fill(0, at, at + 60)
      // Half of them to the last of the four, the others in turn.
      into[at + 5] = sent % 2 === 0 ? 3 : (sent >> 1) & 3
      sent++
      return 60
    },
  }
  net!.kick()
  await machine.sleep(2e9)
  const said = async (name: string) =>
    (await perform(driver, `cat /sys/module/answers_queues/parameters/${name}`)).output.trim()
  t.is(sent, FRAMES)
  t.is(await said('sent'), '25,25,25,125')
  t.is(await said('misplaced'), '0')
  t.deepEqual(machine.faults, [])
  await machine.unload('answers_queues')
  await workspace.close()
})
