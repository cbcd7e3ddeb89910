/**
 * Displays (DRM/KMS): a framebuffer is made, shown on a connector in its own mode, flipped by the display's own refresh, and
 * freed. Frames come at the rate of the mode, by the machine's clock. A card without a display shares a buffer and takes it back.
 */
import { O, Pointing, SEEK, type System } from '../../machine/linux/system.ts'
import { demand, entries, IO, IOWR, struct, word, type Kind, type Scene } from './kind.ts'

/** include/uapi/drm/drm_mode.h; pointers are words of 64 bits. */
const SET_MASTER = IO('d', 0x1e)
/** include/uapi/drm/drm.h, struct drm_prime_handle. */
const HANDLE_TO_FD = IOWR('d', 0x2d, 12)
const FD_TO_HANDLE = IOWR('d', 0x2e, 12)
const GET_RESOURCES = IOWR('d', 0xa0, 64)
const SET_CRTC = IOWR('d', 0xa2, 104)
const GET_CONNECTOR = IOWR('d', 0xa7, 80)
const ADD_FB = IOWR('d', 0xae, 28)
const REMOVE_FB = IOWR('d', 0xaf, 4)
const PAGE_FLIP = IOWR('d', 0xb0, 24)
const CREATE_DUMB = IOWR('d', 0xb2, 32)
const DESTROY_DUMB = IOWR('d', 0xb4, 4)
const MODE_BYTES = 68
/** struct drm_mode_modeinfo. */
const MODE = { clock: 0, width: 4, total: 10, height: 14, lines: 20 }
const FLIP_EVENT = 1
const FLIPS = 6
const ROOT = '/sys/class/drm'

interface Display {
  readonly crtc: number
  readonly connector: number
  readonly mode: Uint8Array
}

async function display(system: System, fd: number): Promise<Display> {
  const count = struct(64)
  await system.control(fd, GET_RESOURCES, count)
  const [crtcs, connectors] = [word(count, 36), word(count, 40)]
  demand(crtcs > 0 && connectors > 0, 'no CRTC, or no connector')
  const [crtcIds, connectorIds] = [struct(4 * crtcs), struct(4 * connectors)]
  const ids = struct(64, { 36: crtcs, 40: connectors })
  const to = [
    [8, crtcIds],
    [16, connectorIds],
  ] as const
  await system.control(fd, GET_RESOURCES, new Pointing(ids, to))
  const connector = word(connectorIds, 0)
  const asked = struct(80, { 48: connector })
  await system.control(fd, GET_CONNECTOR, asked)
  const modes = new Uint8Array(MODE_BYTES * word(asked, 32))
  demand(modes.length > 0, 'the connector has no modes')
  const again = struct(80, { 32: word(asked, 32), 48: connector })
  await system.control(fd, GET_CONNECTOR, new Pointing(again, [[8, modes]]))
  return { crtc: word(crtcIds, 0), connector, mode: modes.slice(0, MODE_BYTES) }
}

const half = (mode: Uint8Array, at: number): number => new DataView(mode.buffer, mode.byteOffset).getUint16(at, true)

async function framebuffer(system: System, fd: number, mode: Uint8Array): Promise<{ id: number; handle: number }> {
  const [width, height] = [half(mode, MODE.width), half(mode, MODE.height)]
  const dumb = struct(32, { 0: height, 4: width, 8: 32 })
  await system.control(fd, CREATE_DUMB, dumb)
  const [handle, pitch] = [word(dumb, 16), word(dumb, 20)]
  const fb = struct(28, { 4: width, 8: height, 12: pitch, 16: 32, 20: 24, 24: handle })
  await system.control(fd, ADD_FB, fb)
  return { id: word(fb, 0), handle }
}

const NO_DISPLAY = -95
const SHARED = 64 * 1024

/** A buffer goes out as a dma-buf of its size, and comes back as the buffer it is. */
async function share(system: System, fd: number, name: string): Promise<string> {
  const dumb = struct(32, { 0: 64, 4: SHARED / 64 / 4, 8: 32 })
  await system.control(fd, CREATE_DUMB, dumb)
  const handle = word(dumb, 16)
  const out = struct(12, { 0: handle, 4: O.RDWR })
  await system.control(fd, HANDLE_TO_FD, out)
  const bytes = await system.seek(word(out, 8), 0, SEEK.END)
  demand(bytes === SHARED, `${name}: a buffer of ${SHARED} bytes is shared as one of ${bytes}`)
  const back = struct(12, { 8: word(out, 8) })
  await system.control(fd, FD_TO_HANDLE, back)
  demand(word(back, 0) === handle, `${name}: buffer ${handle} came back as ${word(back, 0)}`)
  await system.close(word(out, 8))
  await system.control(fd, DESTROY_DUMB, struct(4, { 0: handle }))
  await system.close(fd)
  return `${name}: no display; ${SHARED / 1024} KiB shared as a dma-buf, and taken back`
}

async function use({ system, now }: Scene, name: string): Promise<string> {
  const fd = await system.open(await system.node(`${ROOT}/${name}`), O.RDWR)
  if ((await system.ioctl(fd, GET_RESOURCES, struct(64))) === NO_DISPLAY) return share(system, fd, name)
  await system.ioctl(fd, SET_MASTER)
  const { crtc, connector, mode } = await display(system, fd)
  const buffers = [await framebuffer(system, fd, mode), await framebuffer(system, fd, mode)]
  const set = struct(104, { 8: 1, 12: crtc, 16: buffers[0]!.id, 32: 1 })
  set.set(mode, 36)
  await system.control(fd, SET_CRTC, new Pointing(set, [[0, struct(4, { 0: connector })]]))
  const event = async (i: number): Promise<void> => {
    await system.control(fd, PAGE_FLIP, struct(24, { 0: crtc, 4: buffers[i % 2]!.id, 8: FLIP_EVENT }))
    demand((await system.read(fd, 256)).length > 0, 'no event of a flip')
  }
  await event(1)
  const start = now()
  for (let i = 0; i < FLIPS; i++) await event(i)
  const perFrameMs = (now() - start) / 1e6 / FLIPS
  const wantedMs = (half(mode, MODE.total) * half(mode, MODE.lines)) / word(mode, MODE.clock)
  demand(Math.abs(perFrameMs - wantedMs) < wantedMs * 0.2, `${name}: ${perFrameMs} ms a frame in a mode of ${wantedMs}`)
  for (const { id, handle } of buffers) {
    await system.control(fd, REMOVE_FB, struct(4, { 0: id }))
    await system.control(fd, DESTROY_DUMB, struct(4, { 0: handle }))
  }
  await system.close(fd)
  const size = `${half(mode, MODE.width)}x${half(mode, MODE.height)}`
  return `${name}: ${FLIPS} flips at ${size}, ${perFrameMs.toFixed(2)} ms each`
}

export const drm: Kind = {
  noun: 'display',
  classes: ['drm'],
  beside: [],
  list: async (system) => (await entries(system, ROOT)).filter((name) => /^card\d+$/.test(name)),
  exercise: (scene) => use(scene, scene.names[0]!),
}
