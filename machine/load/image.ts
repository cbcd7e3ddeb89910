/**
 * A domain's memory after its kernel has booted and before any module: other domains of the same core and the same size begin
 * from a copy of it, which takes a fraction of a boot and gives the same. Kept in this process, by the core's hash, and
 * between processes by whoever the core comes from. The boot is on a board of its own, so that a machine's run is the same
 * whether it had to be made or not.
 */
import type { Frozen, FrozenTask } from '../../kernel/domain.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Board } from '../board.ts'
import { type CorePackage, type CoreProgram, loadCore } from './core.ts'
import { Content, type Run } from './memories.ts'
import { PackageError } from './package.ts'

/** Pages of this many bytes are kept where they are not zero. */
const PAGE = 4096

export interface Image {
  /** Pages that are not zero. */
  readonly content: Content
  readonly frozen: Frozen
  /** What its clock said. */
  readonly clockNs: number
}

/** Where images of one core are kept between processes. */
export interface KeptImages {
  /** That of a memory of so many bytes; undefined when there is none, or it is not what was kept. */
  read(size: number): Promise<Image | undefined>
  /** One that cannot be kept is made again. */
  write(image: Image): Promise<void>
}

/** Changes when an image is written otherwise, or a boot makes another one. */
const FORMAT = 'drvport.image/1'

/** An image as bytes: a line that says what follows, then the content of its runs. */
export function encodeImage({ content: { size, runs }, frozen, clockNs }: Image): Uint8Array<ArrayBuffer> {
  const places = runs.map(({ at, bytes }) => [at, bytes.length])
  // Infinity, which no JSON has: no deadline.
  const timerInNs = Number.isFinite(frozen.timerInNs) ? frozen.timerInNs : null
  const head = new TextEncoder().encode(
    `${JSON.stringify({ format: FORMAT, size, clockNs, frozen: { ...frozen, timerInNs }, places })}\n`,
  )
  const out = new Uint8Array(runs.reduce((sum, { bytes }) => sum + bytes.length, head.length))
  out.set(head)
  let to = head.length
  for (const { bytes } of runs) {
    out.set(bytes, to)
    to += bytes.length
  }
  return out
}

/** Read what `encodeImage` wrote; its runs are views of `bytes`. Throws when it is something else. */
export function decodeImage(bytes: Uint8Array): Image {
  const lineEnd = bytes.indexOf(10)
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, lineEnd))) as {
    readonly format: string
    readonly size: number
    readonly clockNs: number
    readonly frozen: Omit<Frozen, 'timerInNs'> & { readonly timerInNs: number | null }
    readonly places: readonly (readonly [at: number, length: number])[]
  }
  if (head.format !== FORMAT) throw new PackageError(`an image of another format: ${head.format}, not ${FORMAT}`)
  let from = lineEnd + 1
  const runs = head.places.map(([at, length]) => ({ at, bytes: bytes.subarray(from, (from += length)) }))
  if (from !== bytes.length) throw new PackageError(`an image of ${bytes.length} bytes, and ${from} are expected`)
  const { size, clockNs, frozen } = head
  return {
    content: new Content(size, runs),
    frozen: { ...frozen, timerInNs: frozen.timerInNs ?? Infinity },
    clockNs,
  }
}

/** Take the image of a domain that is frozen: its machine does not run. */
function takeImage(program: CoreProgram): Image {
  const words = new BigUint64Array(program.memory.buffer)
  const bytes = new Uint8Array(program.memory.buffer)
  const isZero = (page: number): boolean => {
    const from = (page * PAGE) / 8
    for (let i = from; i < from + PAGE / 8; i++) if (words[i] !== 0n) return false
    return true
  }
  const runs: Run[] = []
  const pages = bytes.length / PAGE
  for (let page = 0; page < pages; page++) {
    if (isZero(page)) continue
    const first = page
    while (page + 1 < pages && !isZero(page + 1)) page++
    runs.push({ at: first * PAGE, bytes: bytes.slice(first * PAGE, (page + 1) * PAGE) })
  }
  return {
    content: new Content(bytes.length, runs),
    frozen: program.domain.freeze(),
    clockNs: program.host.nowNs(),
  }
}

/** Put an image into a domain of which nothing has run. */
export function putImage(program: CoreProgram, image: Image): void {
  program.lay(image.content)
  const { host, domain } = program
  host.setClock(image.clockNs)
  const [task, resume] = [program.process('task'), program.process('resume')]
  domain.thaw(image.frozen, ({ begun, runs }: FrozenTask) => (begun || runs ? resume : task))
  host.requests.open()
}

/** What the kernel is booted with: the same for every domain, whichever machine it is in. */
const BOOT_SEED = 1
/** Of virtual time: a boot takes a hundredth of it. */
const BOOT_NS_MAX = 10e9
/** Number of the fiber that brings a kernel up. */
const FIRST_FIBER = 1

/** Images by core and size of memory. */
const images = new Map<string, Promise<Image>>()

/** The image of a core in so many bytes of memory, by a boot on a board of its own when there is none. Throws PackageError. */
export function imageOf(core: CorePackage, size: number = DEFAULT_LIMITS.memory): Promise<Image> {
  const key = `${core.sha256} ${size}`
  const image = images.get(key) ?? keptImage(core, size)
  images.set(key, image)
  image.catch(() => images.delete(key))
  return image
}

async function keptImage(core: CorePackage, size: number): Promise<Image> {
  const kept = await core.images?.read(size)
  if (kept !== undefined) return kept
  const image = await bootImage(core, size)
  await core.images?.write(image)
  return image
}

/** Boot a core where nothing else is, until it takes requests. */
export async function bootImage(core: CorePackage, size: number): Promise<Image> {
  const board = new Board(BOOT_SEED)
  const options = { name: 'boot', args: [], firmware: {}, symbolize: undefined, grants: [] }
  const program = await loadCore(board, core, { ...options, limits: { ...DEFAULT_LIMITS, memory: size } })
  const memory = new Uint8Array(program.memory.buffer)
  program.lay(new Content(memory.length, []))
  for (const { at, bytes } of program.data) memory.set(bytes, at)
  program.domain.start('start', program.process('start'), [size, FIRST_FIBER])
  await board.kernel.run(() => program.host.requests.ready || program.domain.dead, BOOT_NS_MAX)
  const { fault } = program.domain
  if (!program.host.requests.ready) {
    const said = board.log.slice(-1)[0]?.text ?? 'nothing'
    throw new PackageError(`the kernel does not come up: ${fault?.kind ?? 'it waits'}: ${fault?.message ?? said}`)
  }
  const image = takeImage(program)
  program.domain.end()
  return image
}
