/**
 * I2C and SMBus adapters: registers of what answers are written and read back through i2c-dev; a chip driver is bound to it,
 * and its attribute says what was written.
 */
import { O, Pointing, type System } from '../../machine/linux/system.ts'
import { demand, entries, exists, struct, textOf, writeText, type Kind } from './kind.ts'

const I2C_SLAVE = 0x0703
const I2C_SMBUS = 0x0720
/** struct i2c_smbus_ioctl_data: direction, register, size, address of the data; and the data. */
const TRANSFER_BYTES = 12
const DATA_BYTES = 34
const SIZES = { byteData: 2, wordData: 3 } as const

const ROOT = '/sys/bus/i2c/devices'
/** A chip whose driver stands beside, where it may be, and its register: a temperature of 25.5 degrees, high byte first. */
const CHIP = { name: 'lm75', register: 0, value: 0x8019, attribute: 'temp1_input', says: '25500' }
const ADDRESSES = { first: 0x48, last: 0x4f }

async function transfer(system: System, fd: number, write: boolean, register: number, size: number, value = 0) {
  const data = new Uint8Array(DATA_BYTES)
  new DataView(data.buffer).setUint16(0, value, true)
  const head = struct(TRANSFER_BYTES, { 4: size })
  head[0] = write ? 0 : 1
  head[1] = register
  const code = await system.ioctl(fd, I2C_SMBUS, new Pointing(head, [[8, data]]))
  const view = new DataView(data.buffer)
  return { code, value: size === SIZES.wordData ? view.getUint16(0, true) : view.getUint8(0) }
}

/** Addresses of this bus at which something answers. */
async function answering(system: System, fd: number): Promise<number[]> {
  const found: number[] = []
  for (let address = ADDRESSES.first; address <= ADDRESSES.last; address++) {
    await system.control(fd, I2C_SLAVE, address)
    if ((await transfer(system, fd, false, CHIP.register, SIZES.byteData)).code === 0) found.push(address)
  }
  return found
}

async function writeAndRead(system: System, fd: number): Promise<number> {
  let count = 0
  for (const size of [SIZES.byteData, SIZES.wordData])
    for (const register of [0, 1, 0x7f, 0xff]) {
      const wanted = size === SIZES.byteData ? 0xa5 ^ register : 0xc35a ^ register
      const { code } = await transfer(system, fd, true, register, size, wanted)
      demand(code === 0, `writing register ${register}: ${code}`)
      const { value } = await transfer(system, fd, false, register, size)
      demand(value === wanted, `register ${register}: ${wanted} was written and ${value} read`)
      count++
    }
  return count
}

/** A sensor's driver on the adapter. */
async function sensor(system: System, bus: string, fd: number, address: number): Promise<string> {
  if (!(await exists(system, `/sys/bus/i2c/drivers/${CHIP.name}`))) return ''
  await transfer(system, fd, true, CHIP.register, SIZES.wordData, CHIP.value)
  await writeText(system, `${ROOT}/${bus}/new_device`, `${CHIP.name} 0x${address.toString(16)}`)
  const device = `${ROOT}/${bus.slice('i2c-'.length)}-${address.toString(16).padStart(4, '0')}`
  const [hwmon] = await entries(system, `${device}/hwmon`)
  demand(hwmon !== undefined, `${CHIP.name} did not bind to ${device}`)
  const said = await textOf(system, `${device}/hwmon/${hwmon}/${CHIP.attribute}`)
  demand(said === CHIP.says, `${CHIP.attribute} says ${said} of a register that says ${CHIP.says}`)
  await writeText(system, `${ROOT}/${bus}/delete_device`, `0x${address.toString(16)}`)
  return `; ${CHIP.name} on it reads ${said}`
}

export const i2c: Kind = {
  noun: 'I2C adapter',
  classes: ['i2c-adapter'],
  beside: ['i2c-dev', CHIP.name],
  list: async (system) => (await entries(system, ROOT)).filter((name) => name.startsWith('i2c-')),
  async exercise({ system, names: [name = ''] }) {
    const fd = await system.open(await system.node(`/sys/class/i2c-dev/${name}`), O.RDWR)
    const [address] = await answering(system, fd)
    demand(address !== undefined, `${name}: nothing answers at 0x48 to 0x4f`)
    await system.control(fd, I2C_SLAVE, address)
    const count = await writeAndRead(system, fd)
    const more = await sensor(system, name, fd, address)
    await system.close(fd)
    return `${name}: ${count} registers written and read back${more}`
  },
}
