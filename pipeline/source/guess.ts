/**
 * Which bus a driver binds on and which class of device it offers, told from what it calls and where it lies.
 *
 * `called` are names as the source has them (macros too) or, for a compiled module, as its objects need them; the tables
 * know both. A guess for people and for choosing what to try first; the manifest of a built package says what is true.
 */

/** Register functions and the macros around them, by bus. A leading `__` and a trailing `_owner` make no difference. */
const BUS_CALLS: readonly (readonly [bus: string, pattern: RegExp])[] = [
  ['acpi', /^(?:__)?acpi_bus_register_driver$|^module_acpi_driver$/],
  ['amba', /^(?:__)?amba_driver_register$|^module_amba_driver$/],
  ['auxiliary', /^(?:__)?auxiliary_driver_register$|^module_auxiliary_driver$/],
  ['bcma', /^(?:__)?bcma_driver_register$/],
  ['cdx', /^(?:__)?cdx_driver_register$/],
  ['coreboot', /^(?:__)?coreboot_driver_register$|^module_coreboot_driver$/],
  ['cxl', /^(?:__)?cxl_driver_register$|^module_cxl_driver$/],
  ['dax', /^(?:__)?dax_driver_register$|^module_dax_driver$/],
  ['dfl', /^(?:__)?dfl_driver_register$|^module_dfl_driver$/],
  ['eisa', /^eisa_driver_register$/],
  ['fsi', /^fsi_driver_register$|^module_fsi_driver$/],
  ['fsl-mc', /^(?:__)?fsl_mc_driver_register$|^module_fsl_mc_driver$/],
  ['gameport', /^(?:__)?gameport_register_driver$|^module_gameport_driver$/],
  ['greybus', /^(?:greybus_register|gb_gbphy_register)_driver$|^module_(?:greybus|gbphy)_driver$/],
  ['hdaudio', /^(?:__)?hda_codec_driver_register$|^snd_hda_ext_driver_register$|^module_hda_codec_driver$/],
  ['hid', /^(?:__)?hid_register_driver$|^module_hid_driver$/],
  ['host1x', /^host1x_driver_register_full$/],
  ['i2c', /^i2c_register_driver$|^i2c_add_driver$|^module_i2c_driver$/],
  ['i3c', /^i3c_(?:i2c_)?driver_register(?:_with_owner)?$|^module_i3c_(?:i2c_)?driver$/],
  ['ipack', /^ipack_driver_register$/],
  ['isa', /^isa_register_driver$|^module_isa_driver/],
  ['ishtp', /^ishtp_cl_driver_register$/],
  ['mcb', /^(?:__)?mcb_register_driver$|^module_mcb_driver$/],
  ['mdev', /^mdev_register_driver$/],
  ['mdio', /^mdio_driver_register$|^phy_drivers?_register$|^module_phy_driver$|^mdio_module_driver$/],
  ['mei', /^(?:__)?mei_cldev_driver_register$|^module_mei_cl_driver$/],
  ['memstick', /^memstick_register_driver$/],
  ['mhi', /^(?:__)?mhi(?:_ep)?_driver_register$|^module_mhi_driver$/],
  ['mipi-dsi', /^mipi_dsi_driver_register(?:_full)?$|^module_mipi_dsi_driver$/],
  ['mmc', /^mmc_register_driver$/],
  ['nd', /^(?:__)?nd_driver_register$|^module_nd_driver$/],
  ['parport', /^(?:__)?parport_register_driver$|^module_parport_driver$|^pata_parport_register_driver$/],
  ['pci', /^(?:__)?pci_register_driver$|^module_pci_driver$|^comedi_pci_driver_register$/],
  ['pci-epf', /^(?:__)?pci_epf_register_driver$/],
  ['pci-express', /^pcie_port_service_register$/],
  ['pcmcia', /^pcmcia_register_driver$|^module_pcmcia_driver$|^comedi_pcmcia_driver_register$/],
  ['peci', /^(?:__)?peci_driver_register$|^module_peci_driver$/],
  [
    'platform',
    /^(?:__)?platform_(?:driver_(?:register|probe)|register_drivers|create_bundle)$|^(?:module|builtin)_platform_driver(?:_probe)?$/,
  ],
  ['pnp', /^pnp_register_(?:card_)?driver$|^module_pnp_driver$/],
  ['rapidio', /^rio_register_driver$/],
  ['rmi4', /^(?:__)?rmi_register_function_handler$/],
  ['rpmsg', /^(?:__)?register_rpmsg_driver$|^module_rpmsg_driver$/],
  ['scmi', /^scmi_driver_register$|^module_scmi_driver$/],
  ['scsi', /^(?:__)?scsi_register_driver$/],
  ['sdio', /^(?:__)?sdio_register_driver$|^module_sdio_driver$/],
  ['serdev', /^(?:__)?serdev_device_driver_register$|^module_serdev_device_driver$/],
  ['serio', /^(?:__)?serio_register_driver$|^module_serio_driver$/],
  ['siox', /^(?:__)?siox_driver_register$|^module_siox_driver$/],
  ['slimbus', /^(?:__)?slim_driver_register$|^module_slim_driver$/],
  ['soundwire', /^(?:__)?sdw_register_driver$|^module_sdw_driver$/],
  ['spi', /^(?:__)?spi_register_driver$|^spi_mem_driver_register(?:_with_owner)?$|^module_spi(?:_mem)?_driver$/],
  ['spmi', /^(?:__)?spmi_driver_register$|^module_spmi_driver$/],
  ['ssam', /^(?:__)?ssam_device_driver_register$|^module_ssam_device_driver$/],
  ['ssb', /^(?:__)?ssb_driver_register$/],
  ['sunxi-rsb', /^sunxi_rsb_driver_register$|^module_sunxi_rsb_driver$/],
  ['typec', /^(?:__)?typec_altmode_register_driver$|^module_typec_altmode_driver$/],
  ['ulpi', /^(?:__)?ulpi_register_driver$|^module_ulpi_driver$/],
  [
    'usb',
    /^usb_register(?:_driver|_device_driver)?$|^module_usb_(?:serial_)?driver$|^(?:__)?usb_serial_register_drivers$|^comedi_usb_driver_register$/,
  ],
  ['usb-gadget', /^usb_(?:composite_probe|function_register|gadget_register_driver(?:_owner)?)$/],
  ['vdpa', /^(?:__)?vdpa_register_driver$|^module_vdpa_driver$/],
  ['virtio', /^(?:__)?register_virtio_driver$|^module_virtio_driver$/],
  ['vmbus', /^(?:__)?vmbus_driver_register$/],
  ['vme', /^vme_register_driver$/],
  ['wmi', /^(?:__)?wmi_driver_register$|^module_wmi_driver$/],
  ['xen', /^(?:__)?xenbus_register_(?:frontend|backend|driver_common)$/],
]

/** Names of id tables that are not the bus's own. */
const TABLE_BUS: Readonly<Record<string, string>> = {
  mipscdmm: 'mips-cdmm',
  ishtp: 'ishtp',
  sdw: 'soundwire',
  slim: 'slimbus',
  hv: 'vmbus',
  rio: 'rapidio',
  pnp_card: 'pnp',
  fsl_mc: 'fsl-mc',
  pci_epf: 'pci-epf',
  ieee1394: 'firewire',
  tee: 'tee',
}

/** Tables that match the computer, or another driver's product, rather than a device on a bus. */
const NO_BUS = new Set(['dmi', 'x86cpu', 'cpu', 'input'])

const CLASS_CALLS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^(?:devm_)?(?:register_netdev(?:ice)?|alloc_etherdev_mqs?|alloc_etherdev|alloc_netdev_mqs)$/, 'net'],
  [/^(?:alloc_can(?:fd|rx)?_?dev(?:_mqs)?|register_candev)$/, 'can'],
  [/^(?:ieee80211_(?:alloc_hw|register_hw)|wiphy_new|wiphy_register)/, 'wireless'],
  [/^(?:hci_register_dev|hci_alloc_dev_priv|hci_uart_register_(?:proto|device))/, 'bluetooth'],
  [/^(?:nfc_(?:allocate|register)_device|nci_(?:allocate|register)_device)$/, 'nfc'],
  [/^ieee802154_(?:alloc|register)_hw$/, 'ieee802154'],
  [/^(?:phy_drivers?_register|mdio_driver_register)$/, 'phy'],
  [/^(?:__)?(?:devm_)?(?:of_)?mdiobus_(?:register|alloc_size)/, 'mdio-bus'],
  [/^(?:devm_)?dsa_(?:register_switch|switch_alloc|tag_drivers_register)$/, 'dsa'],
  [/^(?:wwan_(?:create_port|register_ops)|wwan_port_txon)$/, 'wwan'],
  [/^(?:ptp_clock_register)$/, 'ptp'],
  [/^(?:devm_)?watchdog_(?:register_device|init_timeout)$/, 'watchdog'],
  [/^(?:__)?(?:devm_)?rtc_(?:register_device|device_register|allocate_device)$/, 'rtc'],
  [/^(?:devm_)?hwmon_device_register/, 'hwmon'],
  [
    /^(?:devm_)?(?:thermal_(?:of_)?(?:zone|tripless_zone)\w*_register\w*|thermal_\w*cooling_device_register)/,
    'thermal',
  ],
  [/^(?:devm_)?(?:snd_card_new|snd_devm_card_new|snd_soc_(?:add|register)_\w+)$/, 'sound'],
  [/^(?:devm_)?input_(?:allocate_device|register_device|allocate_polled_device)$/, 'input'],
  [/^(?:devm_)?gpiochip_add|^(?:devm_)?bgpio_init$/, 'gpio'],
  [/^(?:devm_)?pinctrl_register/, 'pinctrl'],
  [/^(?:devm_)?i2c_add_(?:numbered_)?adapter$|^i2c_bit_add_(?:numbered_)?bus$|^i2c_mux_alloc$/, 'i2c-adapter'],
  [/^(?:__)?(?:devm_)?spi_(?:register|alloc)_(?:controller|master)$/, 'spi-controller'],
  [/^ata_(?:host_activate|pci_sff_\w+|pci_bmdma_\w+|host_alloc\w*|platform_remove_one)$|^ahci_platform_\w+$/, 'ata'],
  [/^scsi_(?:host_alloc|add_host)/, 'scsi'],
  [
    /^(?:blk_mq_alloc_disk|__blk_mq_alloc_disk|(?:__)?blk_alloc_disk|device_add_disk|add_disk|nvme_init_ctrl|add_mtd_blktrans_dev)$/,
    'block',
  ],
  [/^(?:mtd_device_(?:parse_)?register|register_mtd_chip_driver|nand_scan_with_ids|do_map_probe)$/, 'mtd'],
  [/^(?:usb_add_hcd|usb_hcd_(?:pci_probe|platform_\w+)|usb_create_hcd|__usb_create_hcd)$/, 'usb-host'],
  [/^(?:usb_add_gadget(?:_udc)?(?:_release)?)$/, 'usb-device'],
  [/^(?:__)?usb_serial_register_drivers$/, 'usb-serial'],
  [/^(?:devm_)?usb_(?:add_phy(?:_dev)?)$|^(?:__)?(?:devm_)?(?:phy_create|of_phy_provider_register)$/, 'generic-phy'],
  [/^(?:usb_composite_probe|usb_function_register)$/, 'usb-gadget'],
  [
    /^(?:devm_)?mmc_(?:alloc_host|add_host)$|^sdhci_\w*(?:alloc_host|add_host|pltfm_init)$|^mmc_register_driver$/,
    'mmc',
  ],
  [/^(?:misc_register|cdev_add|cdev_device_add|__register_chrdev)$/, 'char'],
  [
    /^(?:uart_register_driver|uart_add_one_port|serial8250_register_8250_port|tty_register_driver|tty_register_ldisc)$/,
    'tty',
  ],
  [/^(?:__)?(?:devm_)?iio_(?:device_alloc|device_register|trigger_register)$/, 'iio'],
  [/^(?:devm_)?led_classdev_(?:multicolor_|flash_)?register/, 'led'],
  [/^(?:devm_)?backlight_device_register$/, 'backlight'],
  [/^(?:devm_)?lcd_device_register$/, 'lcd'],
  [/^(?:drm_dev_alloc|__devm_drm_dev_alloc|devm_drm_dev_init|drm_dev_register)$/, 'drm'],
  [/^(?:drm_panel_(?:add|init)|drm_bridge_add|devm_drm_bridge_add)$/, 'drm-bridge'],
  [/^(?:devm_)?register_framebuffer$/, 'framebuffer'],
  [/^(?:devm_)?power_supply_register/, 'power-supply'],
  [/^(?:devm_)?hwrng_register$/, 'hwrng'],
  [/^(?:devm_)?regulator_register$/, 'regulator'],
  [/^(?:devm_)?(?:of_)?clk_(?:hw_)?register$|^(?:devm_)?of_clk_(?:add_)?(?:hw_)?(?:add_)?provider/, 'clock'],
  [/^(?:devm_)?reset_controller_register$/, 'reset'],
  [/^(?:devm_)?(?:pwmchip_add|__pwmchip_add|pwmchip_alloc)$/, 'pwm'],
  [/^(?:devm_)?nvmem_(?:register|layout_register)$/, 'nvmem'],
  [/^(?:devm_)?mfd_add_(?:hotplug_)?devices$/, 'mfd'],
  [/^(?:dma_async_device_register|dmaenginem_async_device_register)$/, 'dma'],
  [/^(?:__video_register_device|video_register_device|v4l2_device_register)$/, 'v4l2'],
  [/^(?:v4l2_(?:i2c|spi)_subdev_init|v4l2_subdev_init|__?v4l2_async_register_subdev\w*)$/, 'v4l2-subdev'],
  [/^v4l2_async_register_subdev\w*$/, 'v4l2-subdev'],
  [/^(?:dvb_register_(?:adapter|frontend|device)|dvb_usb(?:v2)?_(?:device_init|probe))$/, 'dvb'],
  [/^(?:devm_)?rc_(?:register_device|allocate_device|map_register)$/, 'rc'],
  [/^(?:cec_allocate_adapter|cec_register_adapter)$/, 'cec'],
  [/^(?:comedi_driver_register|comedi_(?:pci|usb|pcmcia)_driver_register)$/, 'comedi'],
  [/^(?:_?ib_(?:alloc|register)_device)$/, 'rdma'],
  [/^(?:devm_)?(?:cpufreq_register_driver)$/, 'cpufreq'],
  [/^(?:devm_)?devfreq_(?:add_device|add_governor)$/, 'devfreq'],
  [/^(?:__)?(?:devm_)?(?:uio_register_device)$/, 'uio'],
  [/^(?:mbox_controller_register|devm_mbox_controller_register)$/, 'mailbox'],
  [/^(?:devm_)?(?:rproc_(?:alloc|add))$/, 'remoteproc'],
  [/^(?:devm_)?(?:typec_register_port|typec_switch_register|typec_mux_register|tcpm_register_port)$/, 'typec'],
  [/^(?:devm_)?extcon_dev_(?:register|allocate)$/, 'extcon'],
  [/^(?:__)?(?:devm_)?fpga_(?:mgr|bridge|region)_register(?:_full)?$/, 'fpga'],
  [/^(?:devm_)?counter_(?:alloc|add)$/, 'counter'],
  [/^(?:tpm_chip_register|tpmm_chip_alloc|tpm_chip_alloc)$/, 'tpm'],
  [/^(?:w1_add_master_device|w1_register_family)$/, 'w1'],
  [/^(?:edac_mc_add_mc_with_groups|edac_pci_add_device|edac_device_add_device)$/, 'edac'],
  [/^(?:parport_register_port|__parport_register_port)$/, 'parport'],
  [/^(?:serio|gameport)_register_port$|^__(?:serio|gameport)_register_port$/, 'port'],
  [/^(?:pcmcia_register_socket)$/, 'pcmcia-socket'],
  [/^(?:atm_dev_register)$/, 'atm'],
  [/^(?:mISDN_register_device|mISDN_register_Bprotocol|register_capictr|attach_capi_ctr)$/, 'isdn'],
  [/^(?:crypto_register_\w+|crypto_engine_(?:register_\w+|alloc_init\w*))$/, 'crypto'],
  [/^register_filesystem$/, 'filesystem'],
  [
    /^(?:sock_register|proto_register|inet_add_protocol|dev_add_pack|nf_register_\w+|xt_register_\w+|nft_register_\w+|register_(?:qdisc|tcf_proto_ops)|tcf_register_action|tcp_register_congestion_control|ebt_register_\w+|ip_set_type_register|register_ip_vs_\w+|rtnl_link_register|genl_register_family|register_pernet_\w+)$/,
    'network-protocol',
  ],
]

/** Where the path says it; '' stands for the name of the directory. The first that fits counts. */
const CLASS_PATHS: readonly (readonly [pattern: RegExp, name: string])[] = [
  [/^drivers\/net\/wireless\//, 'wireless'],
  [/^drivers\/net\/phy\//, 'phy'],
  [/^drivers\/net\/can\//, 'can'],
  [/^drivers\/net\//, 'net'],
  [/^drivers\/usb\/host\//, 'usb-host'],
  [/^drivers\/usb\/gadget\//, 'usb-gadget'],
  [/^drivers\/usb\/serial\//, 'usb-serial'],
  [/^drivers\/tty\//, 'tty'],
  [/^sound\//, 'sound'],
  [/^drivers\/(?:nvme|block)\//, 'block'],
  [/^drivers\/gpu\/drm\//, 'drm'],
  [/^drivers\/video\/fbdev\//, 'framebuffer'],
  [/^drivers\/media\/(?:rc)\//, 'rc'],
  [/^drivers\/media\/(?:dvb-frontends|tuners|dvb-core)\//, 'dvb'],
  [/^drivers\/media\//, 'v4l2'],
  [/^drivers\/infiniband\//, 'rdma'],
  [/^drivers\/leds\//, 'led'],
  [/^drivers\/char\/hw_random\//, 'hwrng'],
  [/^drivers\/char\/tpm\//, 'tpm'],
  [/^drivers\/i2c\//, 'i2c-adapter'],
  [/^drivers\/spi\//, 'spi-controller'],
  [/^drivers\/clk\//, 'clock'],
  [/^drivers\/power\/supply\//, 'power-supply'],
  [/^drivers\/phy\//, 'generic-phy'],
  [
    /^drivers\/(watchdog|rtc|hwmon|input|gpio|ata|scsi|iio|mtd|mmc|pwm|regulator|bluetooth|nfc|comedi|crypto|dma|edac|extcon|fpga|hid|isdn|mailbox|mfd|nvmem|parport|pinctrl|ptp|remoteproc|reset|thermal|uio|w1|char)\//,
    '',
  ],
  [/^(crypto)\//, ''],
  [/^fs\//, 'filesystem'],
  [/^net\//, 'network-protocol'],
]

/** What one called name says. Names repeat from module to module, and there are many patterns. */
interface Hint {
  readonly buses: readonly string[]
  readonly classes: readonly string[]
}

const hints = new Map<string, Hint>()

function hintOf(name: string): Hint {
  let hint = hints.get(name)
  if (hint === undefined) {
    hint = {
      buses: BUS_CALLS.filter(([, pattern]) => pattern.test(name)).map(([bus]) => bus),
      classes: CLASS_CALLS.filter(([pattern]) => pattern.test(name)).map(([, title]) => title),
    }
    hints.set(name, hint)
  }
  return hint
}

/** Sorted. `tableBuses` are the first arguments of MODULE_DEVICE_TABLE. */
export function guessBuses(tableBuses: readonly string[], called: ReadonlySet<string>): string[] {
  const found = new Set(tableBuses.filter((bus) => !NO_BUS.has(bus)).map((bus) => TABLE_BUS[bus] ?? bus))
  for (const name of called) for (const bus of hintOf(name).buses) found.add(bus)
  return [...found].toSorted()
}

/** Sorted; from the paths, which are tree paths of the module or its sources, where no call says it. */
export function guessClasses(paths: readonly string[], called: ReadonlySet<string>): string[] {
  const found = new Set([...called].flatMap((name) => hintOf(name).classes))
  if (found.size === 0)
    for (const path of paths)
      for (const [pattern, title] of CLASS_PATHS) {
        const match = pattern.exec(path)
        if (match) return [title || (match[1] ?? '')]
      }
  return [...found].toSorted()
}
