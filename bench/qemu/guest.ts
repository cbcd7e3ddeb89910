/**
 * A guest under QEMU that does what it is told over its serial console: one line of shell a time, its output back.
 *
 * The initramfs is made here: busybox, the modules that are asked for, and an init that reads commands. Two network
 * devices of one model, in slots 2 and 3: `eth0` is connected to nothing (what it sends costs QEMU as little as can be), `eth1` to a stream
 * of frames that this process sends, which QEMU reads no faster than the guest receives.
 * Knows nothing of what is measured.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import * as fs from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import * as path from 'node:path'
import { createInterface } from 'node:readline'
import type { GuestFiles } from './bring.ts'
import { cpio, type CpioEntry, DEVICE, DIRECTORY, FILE } from './cpio.ts'

const MEMORY_MB = 256
/** A command that has not answered by then hangs. */
const ANSWER_MS = 120_000
/** Begins a line of the guest's that is for us: the number of the command it ends, and its status. */
const MARK = '@@'

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
stty -echo -onlcr
echo '${MARK} 0 0'
while read -r number command; do
  eval "$command"
  echo "${MARK} $number $?"
done
`

export interface GuestOptions {
  /** QEMU's name of the network device. */
  readonly device: string
  /** Paths of modules below the modules' folder, without `kernel/`. */
  readonly modules: readonly string[]
}

const nameOf = (module: string): string => path.basename(module)

async function initramfs(files: GuestFiles, modules: readonly string[]): Promise<Uint8Array> {
  const folders = ['bin', 'dev', 'proc', 'sys', 'modules'].map((name) => ({ name, mode: DIRECTORY | 0o755 }))
  const program = async (name: string, file: string): Promise<CpioEntry> => ({
    name,
    mode: FILE | 0o755,
    data: await fs.readFile(file),
  })
  return cpio([
    ...folders,
    { name: 'dev/console', mode: DEVICE | 0o600, device: [5, 1] },
    { name: 'init', mode: FILE | 0o755, data: new TextEncoder().encode(INIT) },
    await program('bin/busybox', files.busybox),
    ...(await Promise.all(
      modules.map((module) => program(`modules/${nameOf(module)}`, path.join(files.modules, 'kernel', module))),
    )),
  ])
}

export class Guest {
  /** From starting QEMU to a shell that takes commands, ms of wall time. */
  startMs = 0
  /** Where the frames for eth1 go. */
  socket: Socket | undefined
  readonly #dir: string
  readonly #server: Server
  #child!: ChildProcess
  #commands = 0
  #output: string[] = []
  #answered: ((line: string) => void) | undefined
  readonly #started = performance.now()

  private constructor(dir: string, server: Server) {
    this.#dir = dir
    this.#server = server
  }

  static async start(files: GuestFiles, options: GuestOptions): Promise<Guest> {
    const dir = await fs.mkdtemp(path.join(tmpdir(), 'drvport-qemu-'))
    await fs.writeFile(path.join(dir, 'initramfs'), await initramfs(files, options.modules))
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(path.join(dir, 'frames'), resolve))
    const guest = new Guest(dir, server)
    server.on('connection', (socket) => (guest.socket = socket))
    await guest.#boot(files, options.device)
    return guest
  }

  async #boot(files: GuestFiles, device: string): Promise<void> {
    const nic = (n: number): string => `${device},netdev=n${n},mac=52:54:00:00:00:0${n},romfile=,addr=${n + 2}`
    const memory = `memory-backend-file,id=ram,size=${MEMORY_MB}M,mem-path=${this.#file('memory')},share=on`
    const machine = ['-accel', 'tcg', '-machine', 'pc,memory-backend=ram', '-object', memory, '-m', `${MEMORY_MB}M`]
    const console = ['-display', 'none', '-monitor', 'none', '-serial', 'stdio', '-no-reboot', '-nodefaults']
    // Mitigations cost a guest time, and the other side has none; on a busy computer its timer may come too late to be found.
    const command = ['-append', 'console=ttyS0 quiet no_timer_check mitigations=off panic=-1']
    const kernel = ['-kernel', files.kernel, '-initrd', this.#file('initramfs'), ...command]
    const stream = `stream,id=n1,addr.type=unix,addr.path=${this.#file('frames')}`
    const network = ['-netdev', 'hubport,hubid=0,id=n0', '-device', nic(0), '-netdev', stream, '-device', nic(1)]
    this.#child = spawn(files.qemu, [...machine, ...console, ...kernel, ...network], {
      env: files.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const kill = (): void => void this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('exit', () => process.off('exit', kill))
    this.#child.once('exit', () => this.#answered?.('the guest has ended'))
    createInterface({ input: this.#child.stdout! }).on('line', (line) => this.#line(line))
    const ready = await this.#answer(0)
    if (ready !== 0) throw new Error(`the guest did not start: ${this.#output.join('\n')}`)
    this.startMs = performance.now() - this.#started
  }

  /** Of the process that is QEMU: it is what was started, for Debian's wrapper becomes it. */
  get pid(): number {
    return this.#child.pid!
  }

  #file(name: string): string {
    return path.join(this.#dir, name)
  }

  #line(raw: string): void {
    const line = raw.replace(/\r$/, '')
    if (line.startsWith(`${MARK} ${this.#commands} `)) this.#answered?.(line)
    else this.#output.push(line)
  }

  /** The status of a command; -1 when the guest ended instead. */
  async #answer(number: number): Promise<number> {
    let timer: NodeJS.Timeout | undefined
    const line = await new Promise<string>((resolve) => {
      this.#answered = resolve
      timer = setTimeout(() => resolve('no answer'), ANSWER_MS)
    })
    clearTimeout(timer)
    this.#answered = undefined
    const [mark, of, status] = line.split(' ')
    return mark === MARK && Number(of) === number ? Number(status) : -1
  }

  /** Run a line of shell; its lines of output. Throws when its status is not 0, with what it said. */
  async run(command: string): Promise<string[]> {
    this.#output = []
    const number = ++this.#commands
    const answer = this.#answer(number)
    this.#child.stdin!.write(`${number} ${command}\n`)
    const status = await answer
    if (status !== 0) throw new Error(`in the guest: ${command}: status ${status}: ${this.#output.join('; ')}`)
    return this.#output
  }

  /**
   * Replace bytes everywhere in the guest's memory, from outside; returns how often. Both patterns have one length.
   */
  async patch(from: Uint8Array, to: Uint8Array): Promise<number> {
    const file = await fs.open(this.#file('memory'), 'r+')
    try {
      const memory = await file.readFile()
      let count = 0
      for (let at = memory.indexOf(from); at >= 0; at = memory.indexOf(from, at + 1), count++)
        await file.write(to, 0, to.length, at)
      return count
    } finally {
      await file.close()
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.socket?.destroy()
    this.#child.kill('SIGKILL')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await ended
    this.#server.close()
    await fs.rm(this.#dir, { recursive: true, force: true })
  }
}
