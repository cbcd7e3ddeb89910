/**
 * The shared store over its two kinds of bucket, a directory and an S3 service: what is published is found, whole or not at
 * all; what is damaged is told and made again; what cannot be written is said.
 */
import test from 'ava'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { sha256 } from '../../pipeline/cache.ts'
import { InfrastructureError, UsageError } from '../../pipeline/errors.ts'
import { directoryBucket } from '../../pipeline/store/remote-directory.ts'
import { parseS3, s3Bucket } from '../../pipeline/store/remote-s3.ts'
import { openSharedStore, type Bucket } from '../../pipeline/store/remote.ts'
import { openStoreAt } from '../../pipeline/store/shared.ts'
import { startS3, type S3Server } from './s3-server.ts'

const credentials = { bucket: 'lab', region: 'eu-test-1', accessKeyId: 'ID', secretAccessKey: 'secret/with+signs' }
const env = { AWS_ACCESS_KEY_ID: 'ID', AWS_SECRET_ACCESS_KEY: 'secret/with+signs', AWS_REGION: 'eu-test-1' }
const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-store-'))

/** A bucket and a way to damage what is in it. */
interface Place {
  readonly bucket: Bucket
  readonly names: () => Promise<string[]>
  readonly damage: (name: string, how: (bytes: Buffer) => Buffer) => Promise<void>
}

async function inDirectory(): Promise<Place> {
  const dir = await fs.mkdtemp(path.join(work, 'dir-'))
  return {
    bucket: directoryBucket(dir),
    names: async () => {
      const entries = await fs.readdir(dir, { recursive: true, withFileTypes: true })
      return entries.filter((e) => e.isFile()).map((e) => path.relative(dir, path.join(e.parentPath, e.name)))
    },
    damage: async (name, how) => fs.writeFile(path.join(dir, name), how(await fs.readFile(path.join(dir, name)))),
  }
}

async function inS3(server: S3Server): Promise<Place> {
  const prefix = `a b/${server.objects.size}/` // a name that must be encoded
  const address = `s3://lab/${encodeURI(prefix)}?endpoint=${server.endpoint}`
  const own = (): string[] => [...server.objects.keys()].filter((key) => key.startsWith(prefix))
  return {
    bucket: s3Bucket(address, env),
    names: async () => own().map((key) => key.slice(prefix.length)),
    damage: async (name, how) =>
      void server.objects.set(prefix + name, how(server.objects.get(prefix + name) as Buffer)),
  }
}

const server = await startS3(credentials)
test.after.always(async () => {
  await server.close()
  await fs.rm(work, { recursive: true, force: true })
})

const blobOf = (text: string) => ({ sha256: sha256(text), read: async () => Buffer.from(text) })
const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString())

for (const [kind, open] of [
  ['a directory', inDirectory],
  ['S3', () => inS3(server)],
] as const) {
  test.serial(`${kind}: what one publishes another finds`, async (t) => {
    const { bucket } = await open()
    const [one, other] = [await openSharedStore(bucket), await openSharedStore(bucket)]
    const content = 'object '.repeat(5000)
    await one.publish({ kind: 'objects', key: 'abc', value: { object: sha256(content) }, blobs: [blobOf(content)] })
    await one.settled()
    t.deepEqual(await other.record('objects', 'abc'), { object: sha256(content) })
    t.is(text(await other.blob(sha256(content))), content)
    t.is(await other.record('objects', 'abd'), undefined)
    t.is(await other.blob(sha256('nothing')), undefined)
    await one.publish({ kind: 'objects', key: 'abc', value: 'later', replace: true })
    await one.settled()
    t.is(await other.record('objects', 'abc'), 'later')
  })

  test.serial(`${kind}: a record never comes before what it names`, async (t) => {
    const { bucket, names } = await open()
    const gate = Promise.withResolvers<void>()
    const store = await openSharedStore(bucket)
    const slow = { sha256: sha256('slow'), read: () => gate.promise.then(() => Buffer.from('slow')) }
    await store.publish({ kind: 'packages', key: 'k1', value: 1, blobs: [blobOf('quick'), slow] })
    for (let i = 0; i < 200 && !(await names()).some((name) => name.includes(sha256('quick'))); i++)
      await new Promise((go) => setTimeout(go, 10))
    t.false((await names()).some((name) => name.startsWith('records/')))
    gate.resolve()
    await store.settled()
    t.true((await names()).some((name) => name.startsWith('records/')))
  })

  for (const [how, change] of [
    ['truncated', (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1)],
    ['empty', () => Buffer.alloc(0)],
    ['altered', (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === bytes.length - 3 ? byte ^ 1 : byte)))],
  ] as const)
    test.serial(`${kind}: what is ${how} is told, not used, and made again`, async (t) => {
      const { bucket, names, damage } = await open()
      const maker = await openSharedStore(bucket)
      const request = { kind: 'objects', key: 'k', value: { a: 1 }, blobs: [blobOf('content of the object')] }
      await maker.publish(request)
      await maker.settled()
      const stored = (await names()).filter((name) => name !== 'drvport-store.json')
      t.is(stored.length, 2)
      for (const name of stored) await damage(name, change)
      const notes: string[] = []
      const reader = await openSharedStore(bucket, { onNote: (note) => notes.push(note) })
      t.is(await reader.record('objects', 'k'), undefined)
      t.is(await reader.blob(sha256('content of the object')), undefined)
      for (const name of stored) t.true(notes.some((note) => note.includes('damaged') && note.includes(name)))
      await reader.publish(request)
      await reader.settled()
      const after = await openSharedStore(bucket, { onNote: (note) => notes.push(note) })
      t.deepEqual(await after.record('objects', 'k'), { a: 1 })
      t.is(text(await after.blob(sha256('content of the object'))), 'content of the object')
      t.is(notes.length, 2)
    })

  test.serial(`${kind}: a file that is not what its name says is not published`, async (t) => {
    const { bucket, names } = await open()
    const store = await openSharedStore(bucket)
    const wrong = { sha256: sha256('right'), read: async () => Buffer.from('wrong') }
    await store.publish({ kind: 'objects', key: 'k', value: 1, blobs: [wrong] })
    await t.throwsAsync(store.settled(), { instanceOf: InfrastructureError, message: /not what its name says/ })
    t.deepEqual(await names(), ['drvport-store.json'])
  })

  test.serial(`${kind}: many writers at once leave one whole store`, async (t) => {
    const { bucket } = await open()
    const stores = await Promise.all([1, 2, 3].map(() => openSharedStore(bucket)))
    const wanted = Array.from({ length: 24 }, (_, i) => `object ${i % 16}`)
    for (const [i, content] of wanted.entries())
      for (const store of stores)
        await store.publish({ kind: 'objects', key: `k${i}`, value: sha256(content), blobs: [blobOf(content)] })
    for (const store of stores) await store.settled()
    const reader = await openSharedStore(bucket, { onNote: (note) => t.fail(note) })
    for (const [i, content] of wanted.entries()) {
      t.is(await reader.record('objects', `k${i}`), sha256(content))
      t.is(text(await reader.blob(sha256(content))), content)
    }
  })
}

// ---- S3 alone ----

const address = () => `s3://lab/x?endpoint=${server.endpoint}`

test.serial('S3: a busy or cut off service is asked again', async (t) => {
  const bucket = s3Bucket(address(), env)
  server.faults.push(503, 'cut', 500)
  await bucket.put('busy', Buffer.from('1'))
  server.faults.push('cut', 429)
  t.is(text(await bucket.get('busy')), '1')
  server.faults.push(503)
  t.true(await bucket.has('busy'))
  t.is(server.faults.length, 0)
})

test.serial('S3: a wrong key is refused at once, by name', async (t) => {
  for (const [change, found] of [
    [{ AWS_SECRET_ACCESS_KEY: 'other' }, /SignatureDoesNotMatch/],
    [{ AWS_ACCESS_KEY_ID: 'other' }, /InvalidAccessKeyId/],
    [{ AWS_REGION: 'us-east-1' }, /AuthorizationHeaderMalformed/],
  ] as const) {
    const error = await t.throwsAsync(s3Bucket(address(), { ...env, ...change }).put('k', Buffer.from('1')), {
      instanceOf: InfrastructureError,
    })
    t.regex(error?.describe() ?? '', found)
    t.notRegex(error?.describe() ?? '', /secret\/with/)
  }
})

test.serial('S3: a bucket that is not there is a mistake, not an empty store', async (t) => {
  const bucket = s3Bucket(`s3://other/x?endpoint=${server.endpoint}`, env)
  const error = await t.throwsAsync(bucket.get('k'), { instanceOf: InfrastructureError })
  t.regex(error?.describe() ?? '', /NoSuchBucket/)
})

test.serial('S3: a content that changed on its way is refused by the service', async (t) => {
  const response = await fetch(`${server.endpoint}/lab/x/k`, { method: 'PUT', body: 'unsigned' })
  t.is(response.status, 403)
  t.false(server.objects.has('x/k'))
})

test("addresses: AWS by default, a service of one's own by path", (t) => {
  t.is(parseS3('s3://lab/a/b/', { AWS_REGION: 'eu-west-1' }).base, 'https://lab.s3.eu-west-1.amazonaws.com')
  t.is(parseS3('s3://lab/a/b/', {}).prefix, 'a/b')
  t.is(parseS3('s3://lab', { AWS_ENDPOINT_URL: 'http://h:9000' }).base, 'http://h:9000/lab')
  t.is(parseS3('s3://lab?style=host&endpoint=http://h:9000', {}).base, 'http://lab.h:9000')
  t.is(parseS3('s3://lab', { AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_S3: 'http://b' }).base, 'http://b/lab')
})

for (const [given, found] of [
  ['s3://', /no bucket/],
  ['s3://lab?zone=1', /zone/],
  ['s3://lab?endpoint=nowhere', /nowhere/],
] as const)
  test(`addresses: refused: ${given}`, (t) => {
    t.regex(t.throws(() => parseS3(given, {}), { instanceOf: UsageError }).describe(), found)
  })

test('no credentials and unknown kinds of store are told before anything is done', async (t) => {
  t.regex(t.throws(() => s3Bucket('s3://lab', {}), { instanceOf: UsageError }).describe(), /AWS_ACCESS_KEY_ID/)
  await t.throwsAsync(openStoreAt('ftp://h/x'), { instanceOf: UsageError })
  await t.throwsAsync(openStoreAt(''), { instanceOf: UsageError })
})

test('a store that cannot be written is told at once', async (t) => {
  const file = path.join(work, 'a-file')
  await fs.writeFile(file, '')
  const error = await t.throwsAsync(openStoreAt(path.join(file, 'below')), { instanceOf: InfrastructureError })
  t.regex(error?.describe() ?? '', /to do:/)
})

test('another version of store is refused, not overwritten', async (t) => {
  const dir = await fs.mkdtemp(path.join(work, 'old-'))
  await fs.writeFile(path.join(dir, 'drvport-store.json'), '{"schema":"drvport.store/9"}\n')
  const error = await t.throwsAsync(openStoreAt(dir), { instanceOf: InfrastructureError })
  t.regex(error?.describe() ?? '', /drvport\.store\/1[^]*drvport\.store\/9/)
})
