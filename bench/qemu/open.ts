/**
 * One machine with one driver, from a package that is built: booted, bound, opened. Prints the processor time that took,
 * in ms, and ends. `node bench/qemu/open.ts FOLDER NAME`; here.ts starts it.
 */
import '../../cli/inlining.ts'
import { verifyPackage } from '../../cli/machine.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import * as control from '../../machine/class/net/control.ts'
import { boot } from '../../lab/run.ts'
import { interfaceOf } from '../../lab/net/index.ts'

const [dir, name] = process.argv.slice(2)
const pack = await readPackage(dir!, name!)
const session = await boot({ seed: 1, modules: [{ pack }], verify: verifyPackage })
await control.open(interfaceOf(session.climbers[0]!))
const { user, system } = process.cpuUsage()
console.log((user + system) / 1000)
