/**
 * One look at the host's own event loop (signals, streams, timers), as soon as it comes round. Engines differ in what they have
 * for that: Node an immediate, a browser messages, whose timers would wait some milliseconds each time.
 */

interface Engine {
  readonly setImmediate?: (done: () => void) => unknown
  readonly MessageChannel?: typeof MessageChannel
}

export function breath(engine: Engine = globalThis): Promise<void> {
  const { setImmediate, MessageChannel: Channel } = engine
  if (setImmediate !== undefined) return new Promise((resolve) => void setImmediate(resolve))
  return new Promise((resolve) => {
    const { port1, port2 } = new Channel!()
    const told = (): void => {
      port1.close()
      resolve()
    }
    port1.addEventListener('message', told, { once: true })
    port1.start()
    port2.postMessage(0)
  })
}
