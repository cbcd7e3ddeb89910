/**
 * System calls into a domain: files and devices, structures with addresses in them, sockets, waiting and being told to
 * stop waiting.
 */
import test from 'ava'
import { symbolizerOf, verifyPackage } from '../../cli/machine.ts'
import { CNode, revoke, RIGHT } from '../../kernel/capability.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import { Client, openDirectory } from '../../machine/linux/client.ts'
import { NR, O, Pointing, POLL, SEEK, System, SystemError } from '../../machine/linux/system.ts'
import { readPackage } from '../../machine/load/package-files.ts'
import { buildModules } from '../../pipeline/build/index.ts'
import { openWorkspace, type Workspace } from '../../pipeline/workspace.ts'
import { testTreeName } from './workspace.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (from: Uint8Array): string => new TextDecoder().decode(from)

let workspace: Workspace
let machine: Machine
let system: System

test.before(async () => {
  workspace = await openWorkspace({ tree: testTreeName, toolchain: 'clang' })
  const { modules } = await buildModules({ ...workspace, selectors: ['dummy'] })
  const pack = await readPackage(modules[0]!.package!, 'dummy')
  machine = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
  system = (await machine.load(pack)).system!
})
test.after.always(() => workspace.close())
test.afterEach((t) => t.deepEqual(machine.faults, []))

test.serial('files: written and read at places, moved in, made and removed', async (t) => {
  await system.mkdir('/work')
  const fd = await system.open('/work/file', O.RDWR | O.CREAT)
  t.is(await system.write(fd, bytes('Hello, world')), 12)
  t.is(await system.pwrite(fd, bytes('W'), 7), 1)
  t.is(text(await system.pread(fd, 100, 7)), 'World')
  t.is(await system.seek(fd, -5, SEEK.END), 7)
  t.is(text(await system.read(fd, 3)), 'Wor')
  t.is(await system.seek(fd, 6_000_000_000), 6_000_000_000)
  t.is(await system.fsync(fd), 0)
  await system.close(fd)
  t.is((await system.stat('/work/file')).bytes, 12)
  await t.throwsAsync(system.rmdir('/work'), { message: 'rmdir /work: -ENOTEMPTY' })
  await system.unlink('/work/file')
  await system.rmdir('/work')
  await t.throwsAsync(system.open('/work'), { instanceOf: SystemError, message: 'open /work: -ENOENT' })
})

test.serial('devices: nodes as udev would make them, and file systems', async (t) => {
  const path = await system.node('/sys/class/mem/zero')
  t.is(path, '/dev/zero')
  t.deepEqual((await system.stat(path)).device, [1, 5])
  const fd = await system.open(path)
  t.deepEqual(await system.read(fd, 4), new Uint8Array(4))
  await system.close(fd)
  t.is(await system.node('/sys/class/mem/zero'), path, 'again')
  await system.mkdir('/mnt')
  await system.mount('none', '/mnt', 'tmpfs', 0, 'size=64k')
  await system.writeFile('/mnt/file', new Uint8Array(4096), O.WRONLY | O.CREAT)
  await t.throwsAsync(system.writeFile('/mnt/more', new Uint8Array(100_000), O.WRONLY | O.CREAT), {
    message: 'write: -ENOSPC',
  })
  await system.umount('/mnt')
  t.deepEqual(await system.list('/mnt'), [])
})

test.serial('memory with addresses of other memory in it goes over, and comes back', async (t) => {
  const fd = await system.open('/vector', O.RDWR | O.CREAT)
  const vector = (...parts: readonly Uint8Array[]): Pointing => {
    const list = new Uint8Array(8 * parts.length)
    parts.forEach((part, i) => new DataView(list.buffer).setUint32(8 * i + 4, part.length, true))
    return new Pointing(
      list,
      parts.map((part, i) => [8 * i, part]),
    )
  }
  t.is(await system.call(NR.writev, [fd, vector(bytes('one'), bytes(' and '), bytes('two')), 3]), 11)
  await system.seek(fd, 0)
  const [first, second] = [new Uint8Array(4), new Uint8Array(7)]
  t.is(await system.call(NR.readv, [fd, vector(first, second), 2]), 11)
  t.is(text(first) + text(second), 'one and two')
  await system.close(fd)
  t.is(await system.call(NR.write, [fd, bytes('closed'), 6]), -9)
  t.is(await system.call(9999, []), -38)
})

test.serial(
  'a client opens what lies below the directory it was granted, and nothing else, until that is taken back',
  async (t) => {
    await system.mkdir('/shared')
    await system.writeFile('/shared/file', bytes('for all'), O.WRONLY | O.CREAT)
    await system.writeFile('/secret', bytes('for nobody'), O.WRONLY | O.CREAT)
    await system.call(NR.symlinkat, [bytes('/secret\0'), -100, bytes('/shared/link\0')])
    const root = machine.board.hardware.create(await openDirectory(system, '/shared'))
    const space = new CNode('client', 8)
    space.derive(root, root.object, { slot: 1, rights: RIGHT.READ })
    space.derive(root, root.object, { slot: 2 })
    const client = new Client(space)
    const file = await client.open(1, 'file')
    t.is(text(await client.read(file, 100)), 'for all')
    for (const [slot, path, flags, message] of [
      [1, '../secret', O.RDONLY, 'open ../secret: -EXDEV'],
      [1, '/secret', O.RDONLY, 'open /secret: -EXDEV'],
      [1, 'link', O.RDONLY, 'open link: -EXDEV'],
      [1, 'file', O.RDWR, 'open file: -EPERM'],
      [1, 'new', O.RDONLY | O.CREAT, 'open new: -EPERM'],
      [3, 'file', O.RDONLY, 'open file: -EBADF'],
    ] as const)
      await t.throwsAsync(client.open(slot, path, flags), { instanceOf: SystemError, message })
    await t.throwsAsync(client.write(file, bytes('no')), { message: 'write: -EBADF' })
    await t.throwsAsync(client.read(file + 1, 1), { message: 'read: -EBADF' })
    const own = await client.open(2, 'file', O.RDWR)
    t.is(await client.write(own, bytes('FOR')), 3)
    t.is(await client.ioctl(own, 0x5401), -25)
    revoke(root)
    for (const handle of [file, own]) await t.throwsAsync(client.read(handle, 1), { message: 'read: -EPERM' })
    await t.throwsAsync(client.open(2, 'file'), { message: 'open file: -EBADF' })
  },
)

const IPV4 = 2
const DATAGRAM = 2
/** struct ifreq of Linux: a name, and what a request is about. */
function interfaceRequest(name: string): Uint8Array {
  const request = new Uint8Array(32)
  request.set(bytes(name))
  return request
}
const SIOCGIFFLAGS = 0x8913
const SIOCSIFFLAGS = 0x8914
const IFF_UP = 1

function address(port: number): Uint8Array {
  return new Uint8Array([IPV4, 0, port >> 8, port & 0xff, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
}

test.serial('sockets: an ioctl brings an interface up, datagrams go over it', async (t) => {
  const [a, b] = [await system.socket(IPV4, DATAGRAM), await system.socket(IPV4, DATAGRAM)]
  const request = interfaceRequest('lo')
  const flags = new DataView(request.buffer)
  await system.control(a, SIOCGIFFLAGS, request)
  flags.setUint16(16, flags.getUint16(16, true) | IFF_UP, true)
  await system.control(a, SIOCSIFFLAGS, request)
  await system.bind(a, address(7001))
  await system.bind(b, address(7002))
  t.deepEqual(await system.poll([{ fd: a, events: POLL.IN | POLL.OUT }], 10), [POLL.OUT])
  t.is(await system.sendTo(b, bytes('datagram'), address(7001)), 8)
  t.deepEqual(await system.poll([{ fd: a, events: POLL.IN }], 10), [POLL.IN])
  const { bytes: got, from } = await system.receiveFrom(a, 100)
  t.is(text(got), 'datagram')
  t.deepEqual([...from.subarray(0, 8)], [...address(7002).subarray(0, 8)])
  for (const fd of [a, b]) t.is(await system.close(fd), 0)
})

test.serial('who waits is told what came, or to stop waiting', async (t) => {
  const [from, to] = await system.pipe()
  const into = new Uint8Array(16)
  const reading = system.begin(NR.read, [from, into, into.length])
  await machine.sleep(1e9)
  t.is(reading.answer.result, undefined)
  await system.write(to, bytes('at last'))
  t.is(await system.finish(reading), 7)
  t.is(text(into.subarray(0, 7)), 'at last')
  const before = machine.board.kernel.clock.now()
  t.deepEqual(await system.poll([{ fd: from, events: POLL.IN }], 250), [0])
  t.true(machine.board.kernel.clock.now() - before >= 250e6)
  t.is(await system.call(NR.read, [from, into, into.length], 1e9), -4)
  t.true(machine.board.kernel.clock.now() - before < 2e9)
  for (const fd of [from, to]) t.is(await system.close(fd), 0)
})

const MSG_ZEROCOPY = 0x4000000
const SOL_SOCKET = 1
const SO_ZEROCOPY = 60

test.serial('a file is mapped: both sides see what the other writes', async (t) => {
  const fd = await system.open('/mapped', O.RDWR | O.CREAT)
  await system.pwrite(fd, bytes('first'), 0)
  await system.pwrite(fd, bytes('end'), 8189)
  const at = await system.map(fd, 8192)
  t.is(text(await system.peek(at, 5)), 'first')
  t.is(text(await system.peek(at + 8189, 3)), 'end')
  await system.poke(at + 4094, bytes('over the edge'))
  t.is(text(await system.pread(fd, 13, 4094)), 'over the edge')
  await system.unmap(at, 8192)
  await t.throwsAsync(system.peek(at, 1), { message: 'write: -EFAULT' })
  await t.throwsAsync(system.map(fd, 0), { message: 'mmap: -EINVAL' })
  t.is(await system.close(fd), 0)
})

test.serial(
  'pages of what comes with a request can be held: sent without a copy, written without a cache',
  async (t) => {
    const [to, from] = [await system.socket(IPV4, DATAGRAM), await system.socket(IPV4, DATAGRAM)]
    await system.bind(to, address(7003))
    await system.setOption(from, SOL_SOCKET, SO_ZEROCOPY, new Uint8Array([1, 0, 0, 0]))
    const sent = Uint8Array.from({ length: 6000 }, (_, i) => i % 251)
    t.is(await system.sendTo(from, sent, address(7003), MSG_ZEROCOPY), sent.length)
    t.deepEqual((await system.receiveFrom(to, 8192)).bytes, sent)
    for (const fd of [to, from]) t.is(await system.close(fd), 0)

    const other = createMachine({ verify: verifyPackage, symbolizer: symbolizerOf })
    const { modules } = await buildModules({ ...workspace, selectors: ['brd'] })
    const disk = (await other.load(await readPackage(modules[0]!.package!, 'brd'))).system!
    const direct = await disk.open(await disk.node('/sys/block/ram0'), O.RDWR | O.DIRECT)
    const sectors = Uint8Array.from({ length: 12_288 }, (_, i) => (i * 7) % 253)
    t.is(await disk.pwrite(direct, sectors, 4096), sectors.length)
    t.deepEqual(await disk.pread(direct, sectors.length, 4096), sectors)
    t.is(await disk.close(direct), 0)
    t.deepEqual(other.faults, [])
  },
)
