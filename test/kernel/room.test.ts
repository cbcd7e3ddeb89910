import test from 'ava'
import { RoomLeft } from '../../kernel/room.ts'

const SHARE = 100

function program(): { readonly left: WebAssembly.Global; readonly room: RoomLeft } {
  const left = new WebAssembly.Global({ value: 'i32', mutable: true }, SHARE)
  return { left, room: new RoomLeft(left) }
}

/** Calls on the way down take room and do not give it back before a fiber waits. */
const take = (left: WebAssembly.Global, bytes: number): void => void (left.value = (left.value as number) - bytes)

test('a fiber that waits in the midst of calls finds its room as it left it, whatever was entered meanwhile', (t) => {
  const { left, room } = program()
  room.resume()
  take(left, 5000)
  const fibers = left.value as number
  for (let i = 0; i < 3; i++) {
    room.leave(room.enter(undefined, false))
    t.not(left.value, fibers)
  }
  room.resume()
  t.is(left.value, fibers)
  take(left, 100)
  room.resume()
  t.is(left.value, fibers - 100)
})

test('an entry that interrupts nothing begins with all there is; one on top of it with what is left', (t) => {
  const { left, room } = program()
  const first = room.enter(undefined, false)
  const all = left.value as number
  take(left, 3000)
  const other = program()
  const nested = other.room.enter(room, false)
  t.true((other.left.value as number) < all - 3000)
  other.room.leave(nested)
  const inside = room.enter(room, true)
  t.true((left.value as number) < all - 3000)
  room.leave(inside)
  t.is(left.value, all - 3000)
  take(left, -3000)
  room.leave(first)
  room.leave(room.enter(undefined, false))
  t.is(left.value, all)
  other.room.leave(other.room.enter(undefined, false))
  t.is(other.left.value, all)
})

test('where too little is left nothing is entered, and nothing changes', (t) => {
  const { left, room } = program()
  room.enter(undefined, false)
  take(left, left.value as number)
  const other = program()
  const before = other.left.value
  t.true(other.room.enter(room, false) < 0)
  t.is(other.left.value, before)
})

test('the next fiber of a program has all the room, though the last one ended in the midst of calls', (t) => {
  const { left, room } = program()
  const fresh = left.value
  room.resume()
  take(left, 5000)
  room.fiberEnded()
  t.is(left.value, fresh)
  room.leave(room.enter(undefined, false))
  room.resume()
  t.is(left.value, fresh)
})

test('of the 984 KiB an engine has, entries together have 640, the host 8 between two of them, a fiber more than it can use', (t) => {
  const KIB = 1024
  const { left, room } = program()
  t.is(left.value, 2 ** 30)
  room.enter(undefined, false)
  t.is(left.value, 640 * KIB - SHARE)
  const other = program()
  other.room.enter(room, false)
  t.is(other.left.value, 640 * KIB - SHARE - 8 * KIB - SHARE)
  left.value = 8 * KIB + SHARE
  t.is(room.leave(program().room.enter(room, false)), undefined)
  t.true(program().room.enter(room, false) >= 0, 'it may be used up to the last byte')
  left.value = 8 * KIB + SHARE - 1
  t.true(program().room.enter(room, false) < 0)
})

test('a program that does not count what it takes has room for as many entries as there are', (t) => {
  const room = new RoomLeft(undefined)
  t.false(room.exhausted)
  const entered: number[] = []
  const nested = [room]
  for (let below: RoomLeft | undefined = undefined; ; below = nested.at(-1)) {
    const next = new RoomLeft(undefined)
    const kept = next.enter(below, false)
    if (kept < 0) break
    entered.push(kept)
    nested.push(next)
  }
  t.is(entered.length, 81, '640 KiB, 8 at a time, and the first')
  t.false(nested.some(({ exhausted }) => exhausted))
})

test('none is left only below zero', (t) => {
  const { left, room } = program()
  left.value = 0
  t.false(room.exhausted)
  left.value = -1
  t.true(room.exhausted)
})

test('a fiber that has used all of its room finds none when it goes on', (t) => {
  const { left, room } = program()
  room.resume()
  left.value = 0
  room.leave(room.enter(undefined, false))
  t.not(left.value, 0)
  room.leave(room.enter(undefined, false))
  room.resume()
  t.is(left.value, 0)
})

test('an entry begins with all there is, whatever the one before left behind', (t) => {
  const { left, room } = program()
  room.enter(undefined, false)
  const all = left.value
  const below = program()
  below.room.enter(undefined, false)
  room.leave(room.enter(below.room, false))
  t.not(left.value, all)
  room.enter(undefined, false)
  t.is(left.value, all)
})
