/** Network drivers in the laboratory: a segment with a peer, and what is asked of an interface on it. */
import type { Climber, Session } from '../run.ts'
import type { ClassLab } from '../class-lab.ts'
import type { NetInterface } from '../../machine/class/net/interface.ts'
import type { Nic } from './lan.ts'
import { NIC_MODELS } from './models.ts'
import type { Station } from './station.ts'
import { NetWorld, type NetOptions } from './world.ts'

export type { NetOptions } from './world.ts'

export const netLab: ClassLab<NetWorld, NetOptions> = {
  noun: 'network interface',
  models: NIC_MODELS,
  open: (machine, options) => new NetWorld(machine, options),
}

/** Somebody on the segment without a driver. */
export const peerOf = ({ worlds }: Pick<Session, 'worlds'>): Station => worlds.of(netLab).peer

/** The NIC of a module. Throws when it has none. */
export function nicOf({ name, device, model }: Climber): Nic {
  if (device === undefined || !(NIC_MODELS as readonly unknown[]).includes(model)) throw new Error(`${name} has no NIC`)
  return device as Nic
}

/** The interface of a module. Throws when it has none. */
export function interfaceOf({ name, exercise, model }: Climber): NetInterface {
  if (exercise === undefined || !(NIC_MODELS as readonly unknown[]).includes(model))
    throw new Error(`${name} offers no network interface`)
  return exercise.unit as NetInterface
}
