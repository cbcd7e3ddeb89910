/**
 * What an administrator asks of some drivers before there is a device: by the interface that they offer, each as the tree's
 * documentation says. One list.
 */
import type { System } from '../../machine/linux/system.ts'
import { exists, writeText } from './kind.ts'

type Step = readonly ['mkdir' | 'rmdir', path: string] | readonly ['write', path: string, text: string]

interface Setup {
  /** There when the driver is. */
  readonly at: string
  readonly make: readonly Step[]
  readonly undo: readonly Step[]
}

const CONFIG = '/sys/kernel/config'
const SIM = `${CONFIG}/gpio-sim`
const IIO = `${CONFIG}/iio/devices/dummy`

const SETUPS: readonly Setup[] = [
  {
    // Two ports of one device.
    at: '/sys/bus/netdevsim/new_device',
    make: [['write', '/sys/bus/netdevsim/new_device', '1 2']],
    undo: [['write', '/sys/bus/netdevsim/del_device', '1']],
  },
  {
    // Documentation/admin-guide/gpio/gpio-sim.rst
    at: SIM,
    make: [
      ['mkdir', `${SIM}/lab`],
      ['mkdir', `${SIM}/lab/bank`],
      ['write', `${SIM}/lab/bank/num_lines`, '8'],
      ['write', `${SIM}/lab/live`, '1'],
    ],
    undo: [
      ['write', `${SIM}/lab/live`, '0'],
      ['rmdir', `${SIM}/lab/bank`],
      ['rmdir', `${SIM}/lab`],
    ],
  },
  {
    // Documentation/iio/iio_configfs.rst
    at: IIO,
    make: [['mkdir', `${IIO}/lab`]],
    undo: [['rmdir', `${IIO}/lab`]],
  },
]

async function perform(system: System, steps: readonly Step[]): Promise<void> {
  for (const [what, path, text = ''] of steps) {
    if (what === 'mkdir') await system.mkdir(path)
    else if (what === 'rmdir') await system.rmdir(path)
    else await writeText(system, path, text)
  }
}

/** Make what has to be made, and say how it is unmade. */
export async function setUp(system: System): Promise<() => Promise<void>> {
  const found: Setup[] = []
  for (const setup of SETUPS) if (await exists(system, setup.at)) found.push(setup)
  for (const { make } of found) await perform(system, make)
  return async () => {
    for (const { undo } of found) await perform(system, undo)
  }
}
