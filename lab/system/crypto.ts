/**
 * Algorithms: what has appeared in /proc/crypto is asked for by AF_ALG sockets, as a program does. Hashes and ciphers that a
 * standard gives a result for must give it; of all, pieces give what the whole gives, what was encrypted comes back, and what was
 * tampered with is refused.
 */
import { SystemError, type System } from '../../machine/linux/system.ts'
import { demand, difference, pattern, struct, textOf, type Kind } from './kind.ts'

/** include/linux/socket.h, include/uapi/linux/if_alg.h. */
const AF_ALG = 38
const SOCK_SEQPACKET = 5
const SOL_ALG = 279
const SET = { key: 1, iv: 2, operation: 3, associated: 4, tag: 5 } as const
const ENCRYPT = 1
const DECRYPT = 0
const MSG_MORE = 0x8000
/** struct sockaddr_alg: family, type, feature, mask, name. */
const ADDRESS = { bytes: 88, type: 2, name: 24 }

const ENOENT = -2
const EBADMSG = -74
const EINVAL = -22
const ENOKEY = -126
const ENOSYS = -38
const EAFNOSUPPORT = -97
/** Of those that have appeared, so many are used. */
const ALGORITHMS_MAX = 8
const PATTERN_BYTES = 1500
const ASSOCIATED_BYTES = 16

/** An algorithm as /proc/crypto has it. */
type Entry = Readonly<Record<string, string>>

const encoder = new TextEncoder()
/** Of CCM the first byte says how long a length is. */
const ivOf = (bytes: number): Uint8Array => pattern(bytes, 4).fill(3, 0, Math.min(bytes, 1))
const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
const unhex = (text: string): Uint8Array =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))

/** Of the three letters `abc`: RFC 1321, FIPS 180-4, FIPS 202, RFC 7693, the RIPEMD-160 and SM3 documents. */
const OF_ABC: Readonly<Record<string, string>> = {
  md5: '900150983cd24fb0d6963f7d28e17f72',
  sha1: 'a9993e364706816aba3e25717850c26c9cd0d89d',
  sha224: '23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7',
  sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  sha384: 'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
  sha512:
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
  'sha3-224': 'e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf',
  'sha3-256': '3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532',
  'sha3-384': 'ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25',
  'sha3-512':
    'b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0',
  'blake2b-512':
    'ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923',
  rmd160: '8eb208f7e05d987a9b044a8e98c6b087f15a0bfc',
  sm3: '66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0',
}

/** Key, block and what it becomes: FIPS 197, RFC 3713, GB/T 32907, RFC 5794. */
const OF_BLOCK: Readonly<Record<string, readonly [key: string, plain: string, cipher: string]>> = {
  aes: ['000102030405060708090a0b0c0d0e0f', '00112233445566778899aabbccddeeff', '69c4e0d86a7b0430d8cdb78070b4c55a'],
  camellia: [
    '0123456789abcdeffedcba9876543210',
    '0123456789abcdeffedcba9876543210',
    '67673138549669730857065648eabe43',
  ],
  sm4: ['0123456789abcdeffedcba9876543210', '0123456789abcdeffedcba9876543210', '681edf34d206965e86b3e94f536e4246'],
  aria: ['000102030405060708090a0b0c0d0e0f', '00112233445566778899aabbccddeeff', 'd718fbd6ab644c739da95f3be6451778'],
}

export const crypto: Kind = {
  noun: 'algorithm',
  classes: ['crypto'],
  beside: ['algif_hash', 'algif_skcipher', 'algif_aead', 'algif_rng', 'ecb', 'cbc', 'aes_generic'],
  list: async (system) =>
    (await algorithms(system)).filter(({ type = '' }) => type in USES).map(({ driver = '' }) => driver),
  async offers({ system, names, modinfo }) {
    if (!(await isReachable(system))) return []
    const before = await algorithms(system)
    const made: string[] = []
    for (const alias of modinfo('alias')) {
      const template = /^crypto-(.+)$/.exec(alias)?.[1]
      if (template === undefined || before.some(({ name, driver }) => template === name || template === driver))
        continue
      made.push(...(await instance(system, template)))
    }
    return [...names, ...made]
  },
  async exercise({ system, names }) {
    const said: string[] = []
    for (const one of await algorithms(system)) {
      if (!names.includes(one['driver']!) || said.length >= ALGORITHMS_MAX) continue
      const done = await USES[one['type']!]!(system, one).catch((error: unknown) => {
        // Made of another that is not in this kernel, as DRBG's oldest are of SHA-1.
        if (error instanceof SystemError && error.code === ENOENT) return ''
        throw error
      })
      if (done !== '') said.push(`${one['driver']}: ${done}`)
    }
    return said.join('; ')
  },
}

/** Whether a program can ask for algorithms at all: those that another kind of driver brings along are for itself. */
async function isReachable(system: System): Promise<boolean> {
  try {
    await system.close(await system.socket(AF_ALG, SOCK_SEQPACKET))
    return true
  } catch (error) {
    if (error instanceof SystemError && error.code === EAFNOSUPPORT) return false
    throw error
  }
}

/** What there is, but for what only other algorithms may use, and for what waits to be made. */
async function algorithms(system: System): Promise<Entry[]> {
  const text = await textOf(system, '/proc/crypto').catch(() => '')
  const entries = text.split(/\n\n+/).map((block): Entry => {
    const fields = [...block.matchAll(/^(.+?)\s*: (.*)$/gm)]
    return Object.fromEntries(fields.map(([, name, value]) => [name!, value!]))
  })
  return entries.filter(({ driver, internal, type }) => driver !== undefined && internal === 'no' && type !== 'larval')
}

/** What an algorithm is made of with a template: the first of these that is possible. */
const MATERIALS: readonly (readonly [type: string, of: string])[] = [
  ['skcipher', 'aes'],
  ['skcipher', 'ecb(aes)'],
  ['skcipher', 'cbc(aes)'],
  ['skcipher', 'xchacha20,aes'],
  ['aead', 'aes'],
  ['aead', 'chacha20,poly1305'],
  ['aead', 'hmac(md5),ecb(aes)'],
  ['hash', 'md5'],
  ['hash', 'aes'],
]

/** Have a template make an algorithm; its driver's name as /proc/crypto has it then. */
async function instance(system: System, template: string): Promise<string[]> {
  for (const [type, of] of MATERIALS) {
    const name = `${template}(${of})`
    const there = await withSocket(system, { type, name }, () => Promise.resolve(true)).catch((error: unknown) => {
      // It is made, and wants its key before anything else.
      if (error instanceof SystemError) return error.code === ENOKEY
      throw error
    })
    if (there) return (await algorithms(system)).flatMap((one) => (one['name'] === name ? [one['driver']!] : []))
  }
  return []
}

const USES: Readonly<Record<string, (system: System, one: Entry) => Promise<string>>> = {
  shash: hashes,
  ahash: hashes,
  cipher: async (system, one) => {
    const vector = OF_BLOCK[one['name']!]
    const [of, blocks] = [`ecb(${one['driver']})`, { ...one, ivsize: '0' }]
    if (vector !== undefined) {
      const [key, plain, expected] = vector.map(unhex) as [Uint8Array, Uint8Array, Uint8Array]
      const made = await crypt(system, { type: 'skcipher', name: of, key }, ENCRYPT, plain)
      demand(difference(made, expected) < 0, `${one['driver']}: ${hex(plain)} becomes ${hex(made)}`)
    }
    const said = await skcipher(system, blocks, of)
    return vector === undefined ? said : `a block as the standard has it, ${said}`
  },
  skcipher: (system, one) => skcipher(system, one, one['driver']!),
  aead,
  rng: async (system, { driver = '', seedsize = '0' }) => {
    const pieces: Uint8Array[] = []
    // One that seeds itself is told to.
    await withSocket(system, { type: 'rng', name: driver, key: pattern(Number(seedsize), 5) }, async (fd) => {
      for (let piece = 0; piece < 2; piece++) pieces.push((await system.receiveFrom(fd, 64)).bytes)
    })
    const [one, other] = pieces as [Uint8Array, Uint8Array]
    demand(one.length === 64 && other.length === 64, `${driver}: ${one.length} and ${other.length} bytes, not 64`)
    demand(difference(one, other) >= 0, `${driver}: the same 64 bytes twice`)
    return '64 bytes, and 64 others'
  },
}

interface Asked {
  readonly type: string
  readonly name: string
  readonly key?: Uint8Array
  /** Bytes of an aead's tag. */
  readonly tag?: number
}

/** Open an algorithm, give it its key, and use it. */
async function withSocket<T>(
  system: System,
  { type, name, key, tag }: Asked,
  use: (fd: number) => Promise<T>,
): Promise<T> {
  const address = new Uint8Array(ADDRESS.bytes)
  address[0] = AF_ALG
  encoder.encodeInto(type, address.subarray(ADDRESS.type, ADDRESS.type + 13))
  encoder.encodeInto(name, address.subarray(ADDRESS.name, ADDRESS.bytes - 1))
  const socket = await system.socket(AF_ALG, SOCK_SEQPACKET)
  try {
    await system.bind(socket, address)
    if (key !== undefined) await system.setOption(socket, SOL_ALG, SET.key, key)
    // The length itself says it: nothing is pointed to.
    if (tag !== undefined) await system.setOption(socket, SOL_ALG, SET.tag, new Uint8Array(tag))
    const fd = await system.accept(socket)
    try {
      return await use(fd)
    } finally {
      await system.close(fd)
    }
  } finally {
    await system.close(socket)
  }
}

// ---- hashes ----

/** Lengths that ciphers and keyed hashes take. */
const KEYS: readonly number[] = [16, 32, 8, 24, 19, 20, 36, 64, 4, 1088]

async function digest(system: System, asked: Asked, parts: readonly Uint8Array[], length: number): Promise<Uint8Array> {
  return withSocket(system, asked, async (fd) => {
    for (const [i, part] of parts.entries())
      await system.sendTo(fd, part, undefined, i === parts.length - 1 ? 0 : MSG_MORE)
    return (await system.receiveFrom(fd, length)).bytes
  })
}

/** How a hash is asked: with a key or without, and with bytes of its own before the text. */
interface Way {
  readonly key?: number
  readonly before: number
}

/** Poly1305 takes its key before the text, VMAC a number that is used once, whose first bit is 0. */
const WAYS: readonly Way[] = [
  { before: 0 },
  ...KEYS.map((key) => ({ key, before: 0 })),
  { before: 32 },
  { key: 16, before: 16 },
]

async function hashes(system: System, one: Entry): Promise<string> {
  const { name = '', driver = '', digestsize = '0' } = one
  const length = Number(digestsize)
  const by = ({ key, before }: Way, [first = new Uint8Array(), ...others]: readonly Uint8Array[]) => {
    const asked = { type: 'hash', name: driver, ...(key !== undefined && { key: pattern(key, 3) }) }
    const beginning = Uint8Array.from([...pattern(before, 3).fill(1, 0, Math.min(before, 1)), ...first])
    return digest(system, asked, [beginning, ...others], length)
  }
  const way = await firstOf(WAYS, (which) => by(which, [encoder.encode('abc')]))
  const hash = (parts: readonly Uint8Array[]) => by(way, parts)
  const known = OF_ABC[name]
  const short = await hash([encoder.encode('abc')])
  demand(short.length === length, `${driver}: ${short.length} bytes, not ${length}`)
  if (known !== undefined) demand(hex(short) === known, `${driver}: abc becomes ${hex(short)}`)
  const bytes = pattern(PATTERN_BYTES, 1)
  const whole = await hash([bytes])
  const pieces = await hash([bytes.slice(0, 1), bytes.slice(1, 700), bytes.slice(700)])
  demand(difference(whole, pieces) < 0, `${driver}: ${hex(whole)} of a whole, ${hex(pieces)} of its pieces`)
  bytes[PATTERN_BYTES - 1]! ^= 1
  demand(difference(whole, await hash([bytes])) >= 0, `${driver}: the same for another text`)
  return `${known === undefined ? '' : 'abc as the standard has it, '}${PATTERN_BYTES} bytes in one piece and in three`
}

// ---- ciphers ----

/** The first that it takes: what it does not take it says so of. */
async function firstOf<T>(ways: readonly T[], use: (way: T) => Promise<unknown>): Promise<T> {
  let refused: unknown
  for (const way of ways)
    try {
      await use(way)
      return way
    } catch (error) {
      if (!(error instanceof SystemError) || ![EINVAL, ENOKEY, ENOSYS].includes(error.code)) throw error
      refused = error
    }
  throw refused
}

/** Open it with the first key that it takes; the key. */
const keyOf = async (system: System, type: string, name: string, lengths: readonly number[]): Promise<Uint8Array> =>
  pattern(
    await firstOf(lengths, (length) =>
      withSocket(system, { type, name, key: pattern(length, 3) }, () => Promise.resolve()),
    ),
    3,
  )

/** What goes beside the text: struct cmsghdr is a length, a level and a type of four bytes each. */
function control(operation: number, iv: Uint8Array, associated?: number): Uint8Array {
  const message = (type: number, data: Uint8Array): Uint8Array => {
    const bytes = struct(12 + data.length, { 0: 12 + data.length, 4: SOL_ALG, 8: type })
    bytes.set(data, 12)
    return bytes
  }
  const ofIv = struct(4 + iv.length, { 0: iv.length })
  ofIv.set(iv, 4)
  const parts = [message(SET.operation, struct(4, { 0: operation }))]
  if (iv.length > 0) parts.push(message(SET.iv, ofIv))
  if (associated !== undefined) parts.push(message(SET.associated, struct(4, { 0: associated })))
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

async function crypt(
  system: System,
  asked: Asked,
  operation: number,
  text: Uint8Array,
  { iv = new Uint8Array(), associated, out = text.length }: { iv?: Uint8Array; associated?: number; out?: number } = {},
): Promise<Uint8Array> {
  return withSocket(system, asked, async (fd) => {
    await system.sendMessage(fd, text, control(operation, iv, associated))
    return (await system.receiveFrom(fd, out)).bytes
  })
}

async function skcipher(system: System, one: Entry, name: string): Promise<string> {
  const [least, most] = [Number(one['min keysize'] ?? 16), Number(one['max keysize'] ?? 16)]
  const keys = [...new Set([least, most, ...KEYS])].filter((length) => length > 0)
  const block = Number(one['blocksize'] ?? 1)
  const plain = pattern(Math.floor(PATTERN_BYTES / block) * block, 2)
  const iv = ivOf(Number(one['ivsize'] ?? 0))
  const key = most === 0 ? new Uint8Array() : await keyOf(system, 'skcipher', name, keys)
  const asked = { type: 'skcipher', name, ...(key.length > 0 && { key }) }
  const secret = await crypt(system, asked, ENCRYPT, plain, { iv })
  // A cipher that is there to do nothing takes no key.
  demand(key.length === 0 || difference(secret, plain) >= 0, `${name}: nothing was encrypted`)
  const back = await crypt(system, asked, DECRYPT, secret, { iv }).catch((error: unknown) => {
    if (error instanceof SystemError && error.code === EBADMSG) return undefined
    throw error
  })
  // A key wrap tells its user in the kernel what to open it with, and no program.
  if (back === undefined) return ''
  const where = difference(back, plain)
  demand(where < 0, `${name}: what comes back differs at byte ${where}`)
  return `${plain.length} bytes encrypted, and back`
}

async function aead(system: System, { driver = '', ivsize = '0', maxauthsize = '16' }: Entry): Promise<string> {
  const [associated, tag, iv] = [ASSOCIATED_BYTES, Number(maxauthsize), ivOf(Number(ivsize))]
  const text = pattern(associated + 512, 2)
  const key = await keyOf(system, 'aead', driver, KEYS)
  const asked = { type: 'aead', name: driver, key, tag }
  const secret = await crypt(system, asked, ENCRYPT, text, { iv, associated, out: text.length + tag })
  const open = (bytes: Uint8Array): Promise<Uint8Array> =>
    crypt(system, asked, DECRYPT, bytes, { iv, associated, out: text.length })
  const where = difference((await open(secret)).subarray(associated), text.subarray(associated))
  demand(where < 0, `${driver}: what comes back differs at byte ${where}`)
  secret[secret.length - 1]! ^= 1
  const refused = await open(secret).then(
    () => 0,
    (error: unknown) => (error instanceof SystemError ? error.code : ENOENT),
  )
  demand(refused === EBADMSG, `${driver}: with another tag the answer is ${refused}, not EBADMSG`)
  return '512 bytes sealed and opened; refused with another tag'
}
