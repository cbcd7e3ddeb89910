/** Hot replacement, of a driver whose units are of no class in particular. */
import test from 'ava'
import type { Driver } from '../../../machine/driver.ts'
import type { Slot } from '../../../machine/machine.ts'
import { replaceDriver } from '../../../machine/supervise/replace.ts'
import { ToyUnit } from '../class/toy.ts'
import { testPackage } from '../support.ts'

const NOTHING = { mappings: 0, windows: 0, vectors: 0, interrupts: 0, units: 0, capabilities: 0, exit: 0 }

function scene({ takes }: { takes: boolean }) {
  const asked: string[] = []
  const units = [new ToyUnit('a', asked), new ToyUnit('b', asked)]
  let generation = 0
  const start = (binds: boolean): Driver => {
    const name = `toy#${++generation}`
    const driver = {
      name,
      generation,
      domain: { name, end: () => asked.push(`${name} ended`) },
      devices: new Map([[1, { name: 'device' }]]),
      dead: false,
      get units() {
        return units.filter((unit) => unit.driver === (driver as unknown))
      },
      bind: () => {
        if (!binds) return Promise.resolve(-19)
        for (const unit of units) unit.driver = driver as never
        return Promise.resolve(0)
      },
      unload: () => {
        asked.push(`${name} unloaded`)
        for (const unit of units) if (unit.driver === (driver as unknown)) unit.driver = undefined
        return Promise.resolve(NOTHING)
      },
    }
    return driver as unknown as Driver
  }
  const old = start(true)
  void old.bind(undefined as never)
  const pack = testPackage('toy', [])
  const slot = { name: 'toy', driver: old, pack, previous: undefined, watch: undefined, orphans: undefined }
  const done = replaceDriver({ now: () => 0, sleep: () => Promise.resolve() }, slot as unknown as Slot, pack, {
    // Whoever comes after the one that does not take them is the old build again.
    start: () => Promise.resolve(start(takes || generation > 1)),
    adopt: (driver) => void (slot.driver = driver),
  })
  return { done, asked, slot }
}

test('units are held and handed over before the driver goes, replayed on the next and then released', async (t) => {
  const { done, asked } = scene({ takes: true })
  const { ok, handed, generation } = await done
  const before = ['a held', 'a handed over', 'b held', 'b handed over', 'toy#1 unloaded']
  const after = ['a replayed on toy#2', 'b replayed on toy#2', 'a released', 'b released']
  t.deepEqual(asked, before.concat(after))
  t.deepEqual([ok, generation], [true, 2])
  t.deepEqual(handed, { devices: 1, units: 2, kept: 4, done: 6 })
})

test('a build that does not take the devices gives them back, and clients only wait longer', async (t) => {
  const { done, asked, slot } = scene({ takes: false })
  const { ok, reason, generation } = await done
  t.deepEqual([ok, reason, generation], [false, 'toy#2: probe of device failed with -19', 3])
  t.is(slot.driver.name, 'toy#3')
  t.deepEqual(asked.slice(-4), ['a replayed on toy#3', 'b replayed on toy#3', 'a released', 'b released'])
})
