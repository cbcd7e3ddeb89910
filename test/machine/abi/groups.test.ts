/** The list of call groups against the ABI's table: each call has one host side, and nothing has more. */
import test from 'ava'
import { CALLS } from '../../../linux-api/generated/abi.ts'
import { Host } from '../../../machine/abi/host.ts'
import { ABI_GROUPS, AUTHORITIES } from '../../../machine/abi/index.ts'
import { Board } from '../../../machine/board.ts'

const never = (): never => {
  throw new Error('nothing is instantiated')
}
const exported = { atomic: never, process: never, address: never }

test('every call of the table has a host side, and no other call exists', (t) => {
  const host = new Host(new Board(1), 'nobody')
  const made = ABI_GROUPS.map((group) => [group.name, Object.keys(group.calls(host, exported)).toSorted()] as const)
  const table = Object.entries(CALLS).map(([name, calls]) => [name, Object.keys(calls).toSorted()] as const)
  t.deepEqual(Object.fromEntries(made), Object.fromEntries(table))
  t.is(made.length, table.length, 'no group is listed twice')
})

test('a group that has one capability behind it has a grip in every domain, which holds nothing at first', (t) => {
  const host = new Host(new Board(1), 'nobody')
  for (const [group, type] of AUTHORITIES) {
    t.false(host.grip(group).held)
    t.throws(() => host.grip(group).need('call'), {
      message: `${group}.call: the domain holds no ${type} capability`,
    })
  }
})
