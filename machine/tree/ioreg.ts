/**
 * The registry as a document: every node with who drives it, who refused it and who else could. Reads, changes nothing.
 */
import type { Attempt, Node, NodeState, Properties } from '../../kernel/registry.ts'
import type { Machine } from '../machine.ts'

export interface IoregNode {
  readonly id: number
  readonly name: string
  readonly path: string
  readonly class: string
  readonly properties: Properties
  readonly state: NodeState
  /** Who drives it, and in which domain. */
  readonly driver?: string
  readonly domain?: string
  /** To whom it was offered, in order: with a reason, who refused it. */
  readonly attempts: readonly Attempt[]
  /** Whose criteria it meets, best first. */
  readonly candidates: readonly { readonly driver: string; readonly score: number }[]
  readonly children: readonly IoregNode[]
}

export interface IoregEvent {
  readonly atMs: number
  readonly event: string
  readonly path: string
  readonly detail: string
}

export interface Shown {
  readonly module: string
  readonly path: string
  readonly value: string
}

export interface IoregDocument {
  readonly schema: 'drvport.ioreg/1'
  readonly seed: number
  readonly virtualMs: number
  readonly drivers: readonly { readonly name: string; readonly domain: string; readonly running: boolean }[]
  /** What happened, in order. */
  readonly events: readonly IoregEvent[]
  readonly root: IoregNode
  /** Attributes that were asked for. */
  readonly shown?: readonly Shown[]
}

function nodeOf(node: Node, machine: Machine): IoregNode {
  const { id, name, path, properties, state, client, attempts, children } = node
  const { registry } = machine.board.tree
  const candidates = registry.candidates(node).map(({ personality, score }) => ({ driver: personality.driver, score }))
  const driver = client === undefined ? undefined : machine.driver(client.driver)
  return {
    id,
    name,
    path,
    class: node.class,
    properties,
    state,
    ...(client && { driver: client.driver }),
    ...(driver && { domain: driver.name }),
    attempts,
    candidates: node.parent === undefined ? [] : candidates,
    children: children.map((child) => nodeOf(child, machine)),
  }
}

/** Watch a machine's registry from now on; the function returned makes the document. */
export function watchRegistry(machine: Machine): () => IoregDocument {
  const events: IoregEvent[] = []
  machine.board.tree.onEvent = (event, { path }, detail) =>
    events.push({ atMs: machine.now() / 1e6, event, path, detail })
  return () => ({
    schema: 'drvport.ioreg/1',
    seed: machine.seed,
    virtualMs: machine.now() / 1e6,
    drivers: machine.drivers.map((driver) => ({
      name: driver.pack.manifest.name,
      domain: driver.name,
      running: !driver.dead,
    })),
    events,
    root: nodeOf(machine.board.tree.registry.root, machine),
  })
}
