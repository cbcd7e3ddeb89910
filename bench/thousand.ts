/**
 * A machine with a thousand live driver domains: what one costs to start, to keep, and to have idle.
 *
 *   node --expose-gc bench/thousand.ts [--domains N] [--seed N] [--tree NAME] [--virtual SECONDS]
 *
 * As many NICs as the bus has slots are driven (one domain each, opened, link up); the other domains are modules of the
 * tree that need no device and reach init. Resident memory and processor time are this process's, before and after.
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { nicModel } from '../hw/machine/devices.ts'
import { Lan } from '../hw/machine/lan.ts'
import { createMachine } from '../hw/machine/machine.ts'
import * as control from '../hw/machine/net-control.ts'
import type { DriverPackage } from '../hw/machine/package.ts'
import { readPackage } from '../hw/machine/package-files.ts'
import { buildModules } from '../pipeline/build/index.ts'
import { openWorkspace } from '../pipeline/workspace.ts'

const { values } = parseArgs({
  options: {
    domains: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    tree: { type: 'string', default: 'linux-6.1' },
    virtual: { type: 'string', default: '10' },
  },
})
