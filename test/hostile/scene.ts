/**
 * Where scripts are carried out: one machine as a run has it, with the policies that a run has, on which the hostile driver is loaded,
 * matched with a network card, restarted, replaced, pulled away and unloaded, again and again. Beside it are
 *
 * - a network driver of the tree's on the same interrupt line, under traffic in both directions;
 * - a server of another domain, which the hostile one may talk to, and a third domain that talks to both;
 *
 * and none of these may notice: not a frame is lost or late, every answer is right.
 */
import { verifyPackage } from '../../cli/machine.ts'
import { LAYERED_ALLOWANCE, symbolizerOf } from '../../cli/trust.ts'
import { Lan, type Nic } from '../../lab/net/lan.ts'
import type { Station } from '../../lab/net/station.ts'
import { nicModel } from '../../lab/net/models.ts'
import { startTraffic } from '../../lab/net/traffic.ts'
import { DriverEnded, InitRefused, type Driver } from '../../machine/driver.ts'
import { SystemError } from '../../machine/linux/system.ts'
import * as control from '../../machine/class/net/control.ts'
import { interfacesOf } from '../../machine/class/net/index.ts'
import { createMachine, type Machine } from '../../machine/machine.ts'
import type { DriverPackage } from '../../machine/load/package.ts'
import type { SeededRandom } from '../../base/random.ts'
import { TestDevice } from '../machine/support.ts'
import { lifeScript, turnScript, type Script } from './attacks.ts'
import type { Steps } from './steps.ts'
import { DEFAULT_COSTS } from '../../kernel/costs.ts'
import { DEFAULT_LIMITS } from '../../kernel/program.ts'
import { Waits } from './waits.ts'

export interface Subjects {
  readonly hostile: DriverPackage
  readonly bystander: DriverPackage
  readonly server: DriverPackage
  readonly client: DriverPackage
}

export type Outcome =
  | { readonly kind: 'contained'; readonly fault: string; readonly message: string }
  | { readonly kind: 'harmless' }
  | { readonly kind: 'escaped'; readonly message: string }

export interface Trial {
  readonly outcome: Outcome
  /** What was tried, in order. */
  readonly what: string
  /** Scripts that were carried out, the first of which the driver was loaded with. */
  readonly scripts: number
  /** The longest that the bystander waited for the processor, ns of virtual time. */
  readonly waitedNs: number
}

/** Interrupt lines of the bus: a card so many slots behind another is on the same. */
const LINES = 8
type Traffic = ReturnType<typeof startTraffic>

const HOSTILE = 'hostile'
const SCRIPT_FILE = '/sys/module/hostile/parameters/script'
const LULL_NS = 2e6
const FRAMES = 4
/** The longest that a few frames there and back may take of virtual time, whoever else wants the processor. */
const TRAFFIC_NS = 100e6
/** Scripts that one generation is given, as long as it lives. */
const TURNS_MAX = 24

type Step = 'match' | 'open' | 'turns' | 'run' | 'replace' | 'kill' | 'pull' | 'unload'
const COURSES: readonly (readonly Step[])[] = [
  ['match', 'turns', 'unload'],
  ['match', 'open', 'turns', 'unload'],
  ['turns', 'match', 'open', 'turns', 'replace', 'turns', 'unload'],
  ['match', 'kill', 'run', 'unload'],
  ['match', 'open', 'pull', 'run', 'unload'],
  ['match', 'run', 'replace', 'kill', 'run', 'unload'],
]

export interface Surroundings {
  /** Whether what ends is started again, as a run does unless told otherwise; each time costs as much as a trial. */
  readonly restarts: boolean
  /** Of the processor, declared for the bystander; 0 for none: then it is one of many. */
  readonly share: number
}

/** From one look of a program that works to the next, and from one at somebody who should go and does not, ns. */
const LOOK_NS = 2 * DEFAULT_COSTS.workBetweenLooks * DEFAULT_COSTS.workNs
/** What nobody is stopped in: holding off interrupts for a turn, then working on a range that is all of memory (64 bytes a unit), ns. */
const UNSTOPPED_NS = DEFAULT_COSTS.sliceNs + (DEFAULT_LIMITS.memory / 64) * DEFAULT_COSTS.workNs + LOOK_NS
/** Who has its turn before the bystander where that has no share: both generations of the hostile driver, the server, its client. */
const EQUALS = 4

export class Scene {
  readonly machine: Machine
  readonly #subjects: Subjects
  readonly #lan: Lan
  readonly #card: Nic
  readonly #bystander: Driver
  readonly #peer: Station
  readonly #outside: Station
  readonly #steps: Steps
  readonly #waits: Waits
  /** The longest that the bystander may wait for the processor, ns. */
  readonly #waitNs: number
  /** One in so many scripts does not stop by itself. */
  readonly #longEach: number

  private constructor(
    machine: Machine,
    subjects: Subjects,
    steps: Steps,
    lan: Lan,
    card: Nic,
    bystander: Driver,
    waitNs: number,
    longEach: number,
  ) {
    this.machine = machine
    this.#steps = steps
    this.#waits = new Waits(machine.board.kernel, bystander.domain)
    this.#subjects = subjects
    this.#lan = lan
    this.#card = card
    this.#bystander = bystander
    this.#peer = lan.station('peer')
    this.#outside = lan.station('outside')
    this.#waitNs = waitNs
    this.#longEach = longEach
  }

  static async open(
    subjects: Subjects,
    steps: Steps,
    seed: number,
    longEach: number,
    { restarts, share }: Surroundings,
  ): Promise<Scene> {
    const machine = createMachine({
      seed,
      layered: true,
      verify: (pack) => verifyPackage(pack, LAYERED_ALLOWANCE),
      symbolizer: symbolizerOf,
      firmware: { f: new Uint8Array([1, 2, 3]) },
      observer: steps.observer,
      ...(share > 0 && { schedule: { e1000: { share } } }),
      policies: restarts ? {} : { [HOSTILE]: { restarts: { limit: 0 } } },
    })
    steps.watch(machine.board.kernel)
    for (const client of [HOSTILE, 'ipc_client'])
      for (const [name, service] of [
        ['count', 'counter'],
        ['plus', 'adder'],
        ['store', 'store'],
      ] as const)
        machine.board.exchange.link({ client, name, server: 'ipc_server', service })
    const lan = new Lan(machine)
    const nic = lan.plug(nicModel('intel-82540em')!)
    for (let n = 1; n < LINES; n++) machine.board.pci.plug((context) => new TestDevice(context))
    const card = lan.plug(nicModel('rtl8139')!)
    if (card.fn.line !== nic.fn.line) throw new Error('the two cards are not on one interrupt line')
    const bystander = await machine.load(subjects.bystander)
    if (bystander.devices.size === 0) await bystander.bind(nic.fn)
    await machine.load(subjects.server)
    const [net] = interfacesOf(bystander)
    await control.open(net!)
    await machine.run(() => net!.carrier, 20e9)
    // What two of its generations at once take of the host is there from now on.
    await machine.load(subjects.hostile)
    await machine.replace(HOSTILE, subjects.hostile)
    await machine.unload(HOSTILE)
    const waitNs = share > 0 ? UNSTOPPED_NS : EQUALS * (DEFAULT_COSTS.sliceNs + UNSTOPPED_NS)
    const scene = new Scene(machine, subjects, steps, lan, card, bystander, waitNs, longEach)
    const wrong = await scene.wrong()
    if (wrong !== undefined) throw new Error(`before anything was tried: ${wrong}`)
    return scene
  }

  /** Nobody needs it any more: what suspended tasks hold of the engine is held until they end. */
  close(): void {
    for (const { domain } of this.machine.drivers) domain.end()
  }

  async trial(random: SeededRandom): Promise<Trial> {
    const { machine } = this
    const faults = machine.faults.length
    const traffic = this.#traffic()
    const course = COURSES[random.below(COURSES.length)]!
    const what: string[] = []
    const scripts = { count: 0 }
    this.#waits.forget()
    const next = (script: Script): Script => {
      scripts.count++
      what.push(...script.what)
      return script
    }
    try {
      this.#steps.mark('load')
      await machine.load(this.#subjects.hostile, [`hostile.script=${next(lifeScript(random, this.#longEach)).text}`])
      for (const step of course) await expected(() => this.#take(step, random, next))
    } catch (error) {
      if (!(error instanceof DriverEnded) && !(error instanceof InitRefused)) throw error
    }
    if (machine.driver(HOSTILE) !== undefined) await expected(() => machine.unload(HOSTILE))
    if (!this.#card.fn.present) this.#lan.replug(this.#card)
    const wrong = (await this.#lost(traffic)) ?? (await this.wrong()) ?? this.#late()
    const said = {
      what: `${what.join('; ')} | ${course.join(' ')}`,
      scripts: scripts.count,
      waitedNs: this.#waits.longestNs,
    }
    if (wrong !== undefined) return { outcome: { kind: 'escaped', message: wrong }, ...said }
    const fault = machine.faults[faults]
    if (fault === undefined) return { outcome: { kind: 'harmless' }, ...said }
    return { outcome: { kind: 'contained', fault: fault.kind, message: fault.message.slice(0, 200) }, ...said }
  }

  async #take(step: Step, random: SeededRandom, next: (script: Script) => Script): Promise<void> {
    const { machine } = this
    const driver = machine.driver(HOSTILE)
    if (driver === undefined) return
    this.#steps.mark(step)
    if (step === 'run') return machine.sleep(LULL_NS)
    if (step === 'unload') return void (await machine.unload(HOSTILE))
    if (driver.dead) return machine.sleep(LULL_NS)
    if (step === 'match') await machine.match()
    if (step === 'match' && driver.devices.size === 0 && machine.board.owners.get(this.#card.fn) === undefined)
      await driver.bind(this.#card.fn)
    if (step === 'replace') await machine.replace(HOSTILE, this.#subjects.hostile)
    if (step === 'kill') driver.domain.end()
    if (step === 'pull') this.#lan.unplug(this.#card)
    if (step === 'open') await this.#open(driver)
    if (step === 'turns') await this.#turns(random, next)
  }

  async #open(driver: Driver): Promise<void> {
    for (const net of interfacesOf(driver).slice(0, 2)) {
      await control.open(net).catch((error: unknown) => {
        if (!(error instanceof SystemError)) throw error
      })
      const traffic = startTraffic(this.machine.board.kernel, net, this.#outside, 1, { frames: FRAMES })
      await this.machine.run(() => traffic.done || driver.dead, LULL_NS)
      traffic.stop()
    }
  }

  /** One script after the other, as long as it lives. */
  async #turns(random: SeededRandom, next: (script: Script) => Script): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const driver = this.machine.driver(HOSTILE)
      if (driver?.dead !== false) return
      const { text } = next(turnScript(random, this.#longEach))
      await driver.system.writeFile(SCRIPT_FILE, new TextEncoder().encode(text)).catch((error: unknown) => {
        if (!(error instanceof SystemError)) throw error
      })
    }
  }

  /** What is not as it was before; undefined when everything is. */
  async wrong(): Promise<string | undefined> {
    const { machine } = this
    const { board, faults } = machine
    const internal = faults.find(({ kind }) => kind === 'internal')
    if (internal !== undefined) return internal.message
    const [accident] = board.kernel.accidents
    if (accident !== undefined) return `${accident.during}: ${accident.message}`
    const names = board.kernel.domains.map(({ name }) => name)
    if (names.join() !== 'e1000,ipc_server') return `${names.join(', ')} live`
    if (this.#card.fn.dma.windows !== 0 || this.#card.fn.vectorCount !== 0 || board.owners.has(this.#card.fn))
      return 'its device is not free'
    const foreign = faults.find(({ domain }) => !domain.startsWith(HOSTILE))
    if (foreign !== undefined) return `${foreign.domain} failed: ${foreign.kind}: ${foreign.message}`
    return this.#lost(this.#traffic())
  }

  /** The bystander was kept from the processor for longer than its share allows. */
  #late(): string | undefined {
    const { longestNs } = this.#waits
    if (longestNs <= this.#waitNs) return undefined
    return `e1000 waited ${(longestNs / 1e6).toFixed(2)} ms for the processor, ${(this.#waitNs / 1e6).toFixed(2)} at most are its share`
  }

  #traffic(): Traffic {
    const [net] = interfacesOf(this.#bystander)
    return startTraffic(this.machine.board.kernel, net!, this.#peer, 1, { frames: FRAMES })
  }

  /** Frames that did not come, or not in time. */
  async #lost(traffic: Traffic): Promise<string | undefined> {
    await this.machine.run(() => traffic.done, TRAFFIC_NS)
    const { reports } = traffic
    traffic.stop()
    const bad = reports.find((one) => one.received !== FRAMES || one.corrupt !== 0)
    return bad && `e1000's ${bad.from} to ${bad.to}: ${bad.received} of ${FRAMES} frames, ${bad.corrupt} corrupt`
  }

  /** The third domain talks to the server: undefined when it was answered as it should. */
  async asked(): Promise<string | undefined> {
    const { machine } = this
    const from = machine.board.log.length
    await machine.load(this.#subjects.client)
    await machine.unload('ipc_client')
    const said = machine.board.log.slice(from).filter(({ domain }) => domain === 'ipc_client')
    const ok = said.filter(({ text }) => /\bok \w+/.test(text)).length
    return ok === 4 ? undefined : `ipc_client: ${said.map(({ text }) => text).join('; ')}`
  }
}

/** A driver may end of anything that is done with it. */
async function expected(work: () => Promise<unknown>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!(error instanceof DriverEnded) && !(error instanceof InitRefused)) throw error
  }
}
