import test from 'ava'
import { guessBuses, guessClasses } from '../../../pipeline/source/guess.ts'

const called = (...names: string[]) => new Set(names)

test('the same bus from the macro of the source and from the symbol of the object', (t) => {
  for (const [bus, macro, symbol] of [
    ['pci', 'module_pci_driver', '__pci_register_driver'],
    ['platform', 'module_platform_driver', '__platform_driver_register'],
    ['i2c', 'module_i2c_driver', 'i2c_register_driver'],
    ['spi', 'module_spi_driver', '__spi_register_driver'],
    ['usb', 'module_usb_driver', 'usb_register_driver'],
    ['virtio', 'module_virtio_driver', '__register_virtio_driver'],
    ['sdio', 'module_sdio_driver', '__sdio_register_driver'],
    ['mdio', 'module_phy_driver', 'phy_drivers_register'],
  ] as const) {
    t.deepEqual(guessBuses([], called(macro)), [bus])
    t.deepEqual(guessBuses([], called(symbol)), [bus])
  }
})

test('a table that matches the computer names no bus; others have the name of their bus', (t) => {
  t.deepEqual(guessBuses(['dmi', 'hv', 'of', 'pci'], called('printk')), ['of', 'pci', 'vmbus'])
})

test('the path tells the class only where no call does', (t) => {
  const path = ['drivers/net/ethernet/acme/acme.ko']
  t.deepEqual(guessClasses(path, called('alloc_etherdev_mqs', 'ptp_clock_register')), ['net', 'ptp'])
  t.deepEqual(guessClasses(path, called()), ['net'])
  t.deepEqual(guessClasses(['drivers/watchdog/acme.ko'], called()), ['watchdog'])
  t.deepEqual(guessClasses(['kernel/acme.ko'], called()), [])
})
