/** The classes of one machine: what each driver offers, of whichever class. */
import test from 'ava'
import { Kernel } from '../../../kernel/kernel.ts'
import type { DriverEntries } from '../../../machine/class/device-class.ts'
import { CLASSES, ClassServices } from '../../../machine/class/index.ts'
import { ToyUnit, toyClass } from './toy.ts'

test('a driver has the units it is behind now, of every class, in their order', (t) => {
  const [one, other] = [toyClass(), toyClass()]
  const services = new ClassServices(new Kernel(1), [one, other])
  const [driver, stranger] = [{} as DriverEntries, {} as DriverEntries]
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => new ToyUnit(name, []))
  services.of(one).units.push(a!, b!)
  services.of(other).units.push(c!, d!)
  for (const unit of [a!, d!]) unit.driver = driver
  b!.driver = stranger
  t.deepEqual(services.unitsOf(driver), [a!, d!])
  t.deepEqual(services.unitsOf(stranger), [b!])
  a!.driver = undefined
  t.deepEqual(services.unitsOf(driver), [d!])
})

test('a machine opens each class that is listed, once', (t) => {
  const services = new ClassServices(new Kernel(1))
  for (const one of CLASSES) t.deepEqual(services.of(one).units, [])
  t.is(new Set(CLASSES.map((one) => services.of(one))).size, CLASSES.length)
  t.is(new Set(CLASSES.map(({ name }) => name)).size, CLASSES.length, 'a call group each')
})
