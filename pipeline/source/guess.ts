/**
 * Which bus a driver binds on and which class of device it offers, told from what it calls and where it lies.
 *
 * A guess for people and for choosing what to try first; the manifest of a built package says what is true.
 */

/** Functions whose call says it. */
const BUS_CALLS: Record<string, string> = {
  __pci_register_driver: 'pci',
  pci_register_driver: 'pci',
  module_pci_driver: 'pci',
  usb_register: 'usb',
  usb_register_driver: 'usb',
  module_usb_driver: 'usb',
  platform_driver_register: 'platform',
  platform_driver_probe: 'platform',
  module_platform_driver: 'platform',
  module_platform_driver_probe: 'platform',
  builtin_platform_driver: 'platform',
  i2c_add_driver: 'i2c',
  module_i2c_driver: 'i2c',
  spi_register_driver: 'spi',
  module_spi_driver: 'spi',
  register_virtio_driver: 'virtio',
  module_virtio_driver: 'virtio',
  pnp_register_driver: 'pnp',
  acpi_bus_register_driver: 'acpi',
  module_acpi_driver: 'acpi',
  hid_register_driver: 'hid',
  module_hid_driver: 'hid',
  mdio_driver_register: 'mdio',
  module_phy_driver: 'mdio',
  mdio_module_driver: 'mdio',
  serio_register_driver: 'serio',
  module_serio_driver: 'serio',
  pcmcia_register_driver: 'pcmcia',
  module_pcmcia_driver: 'pcmcia',
  isa_register_driver: 'isa',
  module_isa_driver: 'isa',
  eisa_driver_register: 'eisa',
  auxiliary_driver_register: 'auxiliary',
  module_auxiliary_driver: 'auxiliary',
  mmc_register_driver: 'sdio',
  sdio_register_driver: 'sdio',
}

const CLASS_CALLS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(?:devm_)?(?:register_netdev|alloc_etherdev_mqs?|alloc_etherdev|alloc_netdev_mqs)$/, 'net'],
  [/^(?:ieee80211_alloc_hw|wiphy_new)/, 'wireless'],
  [/^(?:devm_)?watchdog_(?:register_device|init_timeout)$/, 'watchdog'],
  [/^(?:devm_)?rtc_(?:register_device|device_register|allocate_device)$/, 'rtc'],
  [/^(?:devm_)?hwmon_device_register/, 'hwmon'],
  [/^(?:devm_)?(?:snd_card_new|snd_soc_register_\w+)$/, 'sound'],
  [/^(?:devm_)?input_(?:allocate_device|register_device)$/, 'input'],
  [/^(?:devm_)?gpiochip_add/, 'gpio'],
  [/^(?:devm_)?i2c_add_(?:numbered_)?adapter$/, 'i2c-adapter'],
  [/^(?:devm_)?spi_register_(?:controller|master)$/, 'spi-controller'],
  [/^ata_(?:host_activate|pci_sff_\w+|pci_bmdma_\w+|host_alloc\w*)$/, 'ata'],
  [/^scsi_(?:host_alloc|add_host)/, 'scsi'],
  [/^(?:blk_mq_alloc_disk|__blk_mq_alloc_disk|blk_alloc_disk|device_add_disk|nvme_init_ctrl)$/, 'block'],
  [/^(?:usb_add_hcd|usb_hcd_pci_probe)$/, 'usb-host'],
  [/^mmc_(?:alloc_host|add_host)$|^sdhci_\w*alloc_host$/, 'mmc-host'],
  [/^(?:misc_register|cdev_add)$/, 'char'],
  [/^(?:uart_register_driver|uart_add_one_port|serial8250_register_8250_port|tty_register_driver)$/, 'tty'],
  [/^(?:devm_)?(?:iio_device_alloc|__devm_iio_device_register|iio_device_register)$/, 'iio'],
  [/^(?:devm_)?led_classdev_register/, 'led'],
  [/^(?:drm_dev_alloc|__devm_drm_dev_alloc|drm_dev_register)$/, 'drm'],
  [/^register_framebuffer$/, 'framebuffer'],
  [/^(?:devm_)?power_supply_register$/, 'power-supply'],
  [/^(?:devm_)?hwrng_register$/, 'hwrng'],
  [/^(?:devm_)?regulator_register$/, 'regulator'],
  [/^(?:phy_drivers_register|phy_driver_register)$/, 'phy'],
]

const CLASS_PATHS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^drivers\/net\/wireless\//, 'wireless'],
  [/^drivers\/net\/phy\//, 'phy'],
  [/^drivers\/net\//, 'net'],
  [/^drivers\/usb\/host\//, 'usb-host'],
  [/^drivers\/tty\//, 'tty'],
  [/^sound\//, 'sound'],
  [/^drivers\/(nvme|block)\//, 'block'],
  [/^drivers\/(watchdog|rtc|hwmon|input|gpio|ata|scsi|iio|leds|mtd|mmc|pwm|regulator|media)\//, ''],
]

export function guessBuses(tableBuses: readonly string[], called: ReadonlySet<string>): string[] {
  const found = new Set(tableBuses)
  for (const [call, bus] of Object.entries(BUS_CALLS)) if (called.has(call)) found.add(bus)
  return [...found].toSorted()
}

export function guessClasses(paths: readonly string[], called: ReadonlySet<string>): string[] {
  const found = new Set<string>()
  for (const name of called) for (const [pattern, title] of CLASS_CALLS) if (pattern.test(name)) found.add(title)
  if (found.size === 0)
    for (const path of paths)
      for (const [pattern, title] of CLASS_PATHS) {
        const match = pattern.exec(path)
        if (match) return [title || (match[1] ?? '')]
      }
  return [...found].toSorted()
}
