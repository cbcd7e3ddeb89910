/** Device models under other identities than their own. */
import type { PciDevice, PciIdentity } from '../hw/types.ts'

/** The device under another identity: a revision or a subsystem of its own. */
export function identified(device: PciDevice, identity: Partial<PciIdentity>): PciDevice {
  if (Object.keys(identity).length === 0) return device
  return {
    model: device.model,
    identity: { ...device.identity, ...identity },
    bars: device.bars,
    capabilities: device.capabilities,
    ...(device.onBoard && { onBoard: true }),
    read: (bar, offset, width) => device.read(bar, offset, width),
    write: (bar, offset, width, value) => device.write(bar, offset, width, value),
    reset: () => device.reset(),
    powerState: (state) => device.powerState?.(state),
  }
}
