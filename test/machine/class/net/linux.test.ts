/** What is asked of an interface, answered by a domain that says anything: a value or SystemError, whatever it says. */
import test from 'ava'
import fc from 'fast-check'
import { NetDevice } from '../../../../machine/class/net/linux.ts'
import { type Answer, type Envoy, System, SystemError } from '../../../../machine/linux/system.ts'

/** Answers each call with the next result, and fills what came with it from `bytes`. */
class Liar implements Envoy {
  readonly #results: readonly number[]
  readonly #bytes: Uint8Array
  #asked = 0

  constructor(results: readonly number[], bytes: Uint8Array) {
    this.#results = results
    this.#bytes = bytes
  }

  send(_kind: number, data: Uint8Array): Answer {
    for (let i = 0; i < data.length; i++) data[i] = this.#bytes[(i + this.#asked) % this.#bytes.length]!
    return { result: this.#results[this.#asked++ % this.#results.length]! }
  }

  wait(answer: Answer): Promise<number> {
    return Promise.resolve(answer.result!)
  }
}

const ASKED: Readonly<Record<string, (device: NetDevice) => Promise<unknown>>> = {
  link: (device) => device.link(),
  info: (device) => device.info(),
  counters: (device) => device.counters(),
  statistics: (device) => device.statistics(),
  selfTest: (device) => device.selfTest(true),
  setFlags: (device) => device.setFlags(1, 1),
}

const result = fc.oneof(fc.constant(0), fc.constant(-95), fc.integer(), fc.integer({ min: 0, max: 2048 }))
const lies = fc.tuple(fc.array(result, { minLength: 1, maxLength: 6 }), fc.uint8Array({ minLength: 1, maxLength: 64 }))

for (const [name, ask] of Object.entries(ASKED))
  test(`${name}: whatever the domain answers, the host has a value or an error of the system's`, async (t) => {
    let values = 0
    await fc.assert(
      fc.asyncProperty(lies, async ([results, bytes]) => {
        try {
          await ask(new NetDevice(new System(new Liar(results, bytes)), 'eth0'))
          values++
        } catch (error) {
          if (!(error instanceof SystemError)) throw error
        }
      }),
      { seed: 1, numRuns: 500 },
    )
    t.true(values > 0, 'some answers are taken')
  })

test('a driver that says its masks have less than no words has link settings all the same', async (t) => {
  const device = new NetDevice(new System(new Liar([0], Uint8Array.of(100))), 'eth0')
  t.is((await device.link()).duplex, 'unknown')
})
