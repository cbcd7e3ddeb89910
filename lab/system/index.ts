/**
 * The rung `operate` of drivers without a modelled device: whatever they have registered is used, each by what it is. The one
 * list of kinds.
 */
import { DriverEnded, InitRefused, isClean, leftList, type Driver } from '../../machine/driver.ts'
import { SystemError } from '../../machine/linux/system.ts'
import type { Machine } from '../../machine/machine.ts'
import type { BoundPackage } from '../../machine/load/core.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import { block } from './block.ts'
import { crypto } from './crypto.ts'
import { drm } from './drm.ts'
import { fileSystem } from './fs.ts'
import { gpio } from './gpio.ts'
import { i2c } from './i2c.ts'
import { input } from './input.ts'
import { Broken, type Kind, type Scene } from './kind.ts'
import { mtd } from './mtd.ts'
import { net } from './net.ts'
import { rtc } from './rtc.ts'
import { setUp } from './setups.ts'
import { sound } from './sound.ts'
import { usb } from './usb.ts'
import { video } from './video.ts'
import { watchdog } from './watchdog.ts'

const KINDS: readonly Kind[] = [
  net,
  block,
  rtc,
  gpio,
  i2c,
  sound,
  fileSystem,
  watchdog,
  input,
  mtd,
  usb,
  video,
  drm,
  crypto,
]

/** Modules that should stand beside one of these classes, so that what it offers can be used. */
export const besideFor = (classes: readonly string[]): string[] =>
  KINDS.filter((kind) => kind.classes.some((name) => classes.includes(name))).flatMap(({ beside }) => beside)

export interface Operated {
  /** Nothing has appeared that a kind knows. */
  readonly nothing: boolean
  readonly ok: boolean
  readonly detail: string
}

/** What is loaded for a driver, itself the last: neither what is there for other domains nor what waits to be asked for. */
export const withoutOthers = (modules: readonly BoundPackage[]): BoundPackage[] =>
  modules.filter(({ along, onCall }) => along === undefined && !onCall)

/** What a package's own module says of itself, `field=value` by `field`. */
function modinfo(pack: DriverPackage, field: string): string[] {
  const own = withoutOthers(pack.on.modules).at(-1)
  if (own === undefined) return []
  const texts = new TextDecoder('latin1').decode(own.image).split('\0')
  return texts.flatMap((text) => (text.startsWith(`${field}=`) ? [text.slice(field.length + 1)] : []))
}

/** What there is now, by kind. */
async function lists(driver: Driver): Promise<(readonly string[])[]> {
  const all: (readonly string[])[] = []
  for (const kind of KINDS) all.push(await kind.list(driver.system!))
  return all
}

/**
 * Load a package and use what it offers. `beside`: how many of its modules, the first ones, stand beside the driver. Throws
 * PackageError, InitRefused, DriverEnded.
 */
export async function operate(
  machine: Machine,
  pack: DriverPackage,
  args: readonly string[],
  beside: number,
): Promise<Operated> {
  const driver = await machine.open(pack, args)
  try {
    await driver.initialize(beside)
    const before = await lists(driver)
    await driver.initialize()
    const tearDown = await setUp(driver.system!)
    await machine.sleep(SETTLE_NS)
    const after = await lists(driver)
    const said: string[] = []
    for (const [i, kind] of KINDS.entries()) {
      const scene: Scene = {
        system: driver.system!,
        names: after[i]!.filter((name) => !before[i]!.includes(name)),
        sleep: (ns) => machine.sleep(ns),
        now: () => machine.now(),
        modinfo: (field) => modinfo(pack, field),
      }
      const names = (await kind.offers?.(scene)) ?? scene.names
      const done = names.length > 0 ? await kind.exercise({ ...scene, names }) : ''
      if (done !== '') said.push(done)
    }
    if (said.length === 0) return { nothing: true, ok: false, detail: '' }
    await tearDown()
    const left = await driver.unload()
    if (!isClean(left)) return { nothing: false, ok: false, detail: `left after exit: ${leftList(left)}` }
    return { nothing: false, ok: true, detail: said.join('; ') }
  } catch (error) {
    if (error instanceof DriverEnded || error instanceof InitRefused) throw error
    if (!(error instanceof Broken) && !(error instanceof SystemError)) throw error
    return { nothing: false, ok: false, detail: error.message }
  } finally {
    driver.end()
  }
}

/** What init started in the background gets its turn. */
const SETTLE_NS = 1e9
