/**
 * Command lines that say what they mean: options by their whole names with values that can be read one way only. They mean what yargs
 * reads in them (a test holds that); of all others, and of those that are wrong, nothing is said here, and yargs is asked. Loading it
 * takes longer than starting a driver does.
 *
 * Must not know any command: what there may be is asked of it as yargs would.
 */
import type { Argv, Options, PositionalOptions } from 'yargs'
import type { Command } from './context.ts'
import { commonOptions } from './options.ts'

type Given = Record<string, unknown>

/** Thrown where a command or a line takes more than what is understood here. */
const BEYOND = Symbol('beyond')
const beyond = (): never => {
  throw BEYOND
}

/** Words that nobody could take for an option, a number with a sign or something quoted. */
const PLAIN = /^[\w./@][^'"`\\]*$/
const WHOLE = /^(?:0|[1-9]\d{0,14})$/

/** What a command declares. */
interface Declared {
  readonly options: Map<string, Options>
  readonly positionals: Map<string, PositionalOptions>
}

/** Ask a command for its options; whatever else it wants of yargs is beyond this. */
function declaredBy(command: Command): Declared {
  const options = new Map<string, Options>()
  const positionals = new Map<string, PositionalOptions>()
  const methods: Record<string, unknown> = {
    option(name: string, option: Options): Argv {
      if (options.has(name)) beyond()
      options.set(name, option)
      return argv
    },
    positional(name: string, positional: PositionalOptions): Argv {
      positionals.set(name, positional)
      return argv
    },
  }
  const argv = new Proxy(methods, { get: (of, name) => of[name as string] ?? beyond }) as unknown as Argv
  commonOptions(argv)
  command.options?.(argv)
  return { options, positionals }
}

/** One value of an option. */
function valueOf({ type, choices, coerce, normalize }: Options, word: string | undefined): unknown {
  if (word === undefined || coerce !== undefined || normalize === true || !PLAIN.test(word)) return beyond()
  if (choices !== undefined && !choices.includes(word)) return beyond()
  if (type === 'number') return WHOLE.test(word) ? Number(word) : beyond()
  return type === 'string' || choices !== undefined ? word : beyond()
}

/** Reads the words of one command line, from left to right. */
class Reader {
  readonly given: Given = {}
  readonly others: string[] = []
  readonly #declared: Declared
  readonly #words: readonly string[]
  #at = 1

  constructor(declared: Declared, words: readonly string[]) {
    this.#declared = declared
    this.#words = words
  }

  read(): void {
    while (this.#at < this.#words.length) {
      const word = this.#words[this.#at++]!
      if (word === '-v') this.#option('verbose', undefined)
      else if (word.startsWith('--')) this.#long(word.slice(2))
      else this.others.push(PLAIN.test(word) ? word : beyond())
    }
  }

  #long(text: string): void {
    const at = text.indexOf('=')
    this.#option(at < 0 ? text : text.slice(0, at), at < 0 ? undefined : text.slice(at + 1))
  }

  #option(name: string, value: string | undefined): void {
    const option = this.#declared.options.get(name) ?? beyond()
    const before = this.given[name]
    if (option.type === 'count') this.given[name] = this.#flag(value, ((before as number) ?? 0) + 1)
    else if (option.array === true) this.given[name] = [...((before as unknown[]) ?? []), this.#last(option, value)]
    // Given twice, it is a list to yargs.
    else if (before !== undefined) beyond()
    else if (option.type === 'boolean') this.given[name] = this.#flag(value, true)
    else this.given[name] = valueOf(option, value ?? this.#words[this.#at++])
  }

  #flag<T>(value: string | undefined, set: T): T {
    // A word after it may be its value.
    return value !== undefined || ['true', 'false'].includes(this.#words[this.#at] ?? '') ? beyond() : set
  }

  /** A list takes all words up to the next option. */
  #last(option: Options, value: string | undefined): unknown {
    const read = valueOf(option, value ?? this.#words[this.#at++])
    const next = this.#words[this.#at]
    return next === undefined || next.startsWith('--') ? read : beyond()
  }
}

/** Give the words that are no options to what the command's usage names: `run <modules..>`, `optimize <module>`. */
function placed(usage: string, others: readonly string[], { positionals }: Declared): Given {
  const [, ...places] = usage.split(' ')
  const given: Given = {}
  let at = 0
  for (const place of places) {
    const [, bracket, name, many] = /^([<[])([\w-]+)(\.\.)?[>\]]$/.exec(place) ?? beyond()
    const { type, choices, coerce } = positionals.get(name!) ?? beyond()
    if (type !== 'string' || choices !== undefined || coerce !== undefined) beyond()
    const words = others.slice(at, many === undefined ? at + 1 : undefined)
    if (words.length === 0 && bracket === '<') beyond()
    at += words.length
    if (many !== undefined) given[name!] = words
    else if (words.length > 0) given[name!] = words[0]
  }
  return at === others.length ? given : beyond()
}

/** What a command is given by these words; undefined when they are not plain. */
export function plainWords(command: Command, words: readonly string[]): Given | undefined {
  try {
    if (words[0] !== command.usage.split(' ')[0]) return undefined
    const declared = declaredBy(command)
    const reader = new Reader(declared, words)
    reader.read()
    const defaults: Given = {}
    for (const [name, { default: value, demandOption }] of declared.options) {
      if (demandOption !== undefined && demandOption !== false && reader.given[name] === undefined) beyond()
      if (value !== undefined) defaults[name] = value
    }
    for (const [name, { default: value }] of declared.positionals) if (value !== undefined) defaults[name] = value
    const places = placed(command.usage, reader.others, declared)
    for (const [name, value] of Object.entries(places))
      if (Array.isArray(value) && value.length === 0 && defaults[name] !== undefined) delete places[name]
    return { ...defaults, ...reader.given, ...places }
  } catch (error) {
    if (error === BEYOND) return undefined
    throw error
  }
}
