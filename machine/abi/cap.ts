/** Host side of the `cap` call group: a domain's own capability space. Refusals are numbers: being refused is no failure of the program. */
import type { CapCalls } from '../../linux-api/generated/abi.ts'
import { lookup, mint, move, remove, revocation } from '../../kernel/cspace.ts'
import { IPC } from '../../kernel/message.ts'
import type { AbiGroup } from './group.ts'
import type { Host } from './host.ts'
import { MESSAGE_NS, refusable } from './words.ts'

/** Capabilities ended between two looks at who else wants to run. */
const REVOKE_STEP = 64

function capCalls(host: Host): CapCalls {
  const operation = (call: string, work: () => number): number => {
    host.domain.spend(MESSAGE_NS)
    return refusable(work)
  }
  const space = () => host.domain.capabilities
  return {
    mint: (from, to, rights, badge) =>
      operation('mint', () => {
        mint(space(), from >>> 0, to >>> 0, rights, badge === 0 ? undefined : badge)
        return IPC.OK
      }),
    move: (from, to) =>
      operation('move', () => {
        move(space(), from >>> 0, to >>> 0)
        return IPC.OK
      }),
    remove: (pointer) =>
      operation('remove', () => {
        remove(space(), pointer >>> 0)
        return IPC.OK
      }),
    revoke: (pointer) => {
      let count = 0
      const result = operation('revoke', () => {
        const begun = revocation(space(), pointer >>> 0)
        while (!begun.step(REVOKE_STEP)) host.domain.spend(MESSAGE_NS)
        count = begun.ended
        return IPC.OK
      })
      return result < 0 ? result : count
    },
    rights: (pointer) => operation('rights', () => lookup(space(), pointer >>> 0).rights),
    free: () => operation('free', () => space().free()),
  }
}

export const cap = { name: 'cap', authority: 'cnode', trace: 'ipc', calls: capCalls } satisfies AbiGroup<'cap'>
