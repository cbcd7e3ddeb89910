/** The guest in a browser's worker: files by fetch, messages by POST, in order. */
import { runGuest, type GuestMessage } from './guest.ts'

const base = new URL('../../../', import.meta.url)

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(new URL(name, base))
  if (!response.ok) throw new Error(`${name}: HTTP ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** The WASI library takes its own module out of a data URL with what Node calls a Buffer. */
function lendBuffer(): void {
  const scope = globalThis as { Buffer?: unknown }
  scope.Buffer ??= {
    from: (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.codePointAt(0)!),
  }
}

/** Messages not sent yet, and the sending of those before them. */
let waiting: GuestMessage[] = []
let sending: Promise<unknown> = Promise.resolve()

function send(to: string): Promise<unknown> {
  sending = sending.then(() => {
    const body = waiting.map((message) => JSON.stringify(message)).join('\n')
    waiting = []
    return fetch(new URL(to, base), { method: 'POST', body })
  })
  return sending
}

function tell(message: GuestMessage): void {
  waiting.push(message)
  if (waiting.length === 1) void send('said')
}

const [, version = 'unknown'] = /Chrome\/([\d.]+)/.exec(navigator.userAgent) ?? []
lendBuffer()
await runGuest({ read, tell, engine: { name: 'chromium', version, arch: navigator.platform } })
await send('done')
