import test from 'ava'
import fc from 'fast-check'
import { createRegisterFile, merge, register } from '../../../hw/devices/register-file.ts'

const plain = () => {
  const values = [0, 0, 0, 0]
  const reads = [0, 0, 0, 0]
  const cell = (number: number, offset: number, width: number) =>
    register(
      offset,
      width,
      `r${number}`,
      () => {
        reads[number]!++
        return values[number]!
      },
      (value, lanes) => {
        values[number] = merge(values[number]!, value, lanes)
      },
    )
  const file = createRegisterFile(16, [cell(0, 0, 4), cell(1, 4, 2), cell(2, 6, 1), cell(3, 8, 4)])
  return { file, reads }
}

test('any mix of widths behaves as memory, but for the bytes of no register', (t) => {
  const access = fc.record({ at: fc.nat(11), width: fc.constantFrom(1, 2, 4), value: fc.nat(0xffffffff) })
  fc.assert(
    fc.property(fc.array(access, { maxLength: 50 }), (steps) => {
      const { file } = plain()
      const memory = new DataView(new ArrayBuffer(16))
      for (const { at, width, value } of steps) {
        if (at % width !== 0) continue
        file.write(at, width, value)
        for (let i = 0; i < width; i++)
          if (at + i < 12 && at + i !== 7) memory.setUint8(at + i, (value >>> (8 * i)) & 0xff)
        for (let word = 0; word < 16; word += 4) t.is(file.read(word, 4), memory.getUint32(word, true))
        t.is(
          file.read(at, width),
          width === 4 ? memory.getUint32(at, true) : width === 2 ? memory.getUint16(at, true) : memory.getUint8(at),
        )
      }
    }),
  )
})

test('a wide read reads each register once', (t) => {
  const { file, reads } = plain()
  file.read(4, 4)
  t.deepEqual(reads, [0, 1, 1, 0])
})

test('registers that overlap are refused', (t) => {
  const one = register(0, 4, 'A', () => 0)
  const two = register(2, 2, 'B', () => 0)
  t.throws(() => createRegisterFile(8, [one, two]), { message: 'B overlaps A at 2' })
})
