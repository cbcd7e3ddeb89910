/**
 * An S3-compatible service for tests: path-style GET, HEAD and PUT of objects, held in memory, on a free port of this
 * computer. It computes each request's Signature Version 4 itself, from the specification, and refuses what does not match;
 * it refuses uploads whose content is not what was signed. Faults can be ordered.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface S3Server {
  readonly endpoint: string
  readonly objects: Map<string, Buffer>
  /** Method and key of every request that was answered, in order. */
  readonly log: string[]
  /** Faults to come, first for the next request: an HTTP status, or the connection cut. */
  readonly faults: (number | 'cut')[]
  close(): Promise<void>
}

export interface S3Credentials {
  readonly bucket: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const hash = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** RFC 3986, as AWS wants it. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Why a request is refused; undefined when its signature is right. */
function refusal(request: IncomingMessage, url: URL, body: Buffer, wanted: S3Credentials): string | undefined {
  const given =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (given === null) return 'AccessDenied'
  const [, id = '', day = '', region = '', names = '', signature = ''] = given
  if (id !== wanted.accessKeyId) return 'InvalidAccessKeyId'
  if (region !== wanted.region) return 'AuthorizationHeaderMalformed'
  const header = (name: string): string =>
    String(request.headers[name] ?? '')
      .trim()
      .replaceAll(/\s+/g, ' ')
  const content = header('x-amz-content-sha256')
  if (content !== hash(body)) return 'XAmzContentSHA256Mismatch'
  for (const needed of ['host', 'x-amz-content-sha256', 'x-amz-date'])
    if (!names.split(';').includes(needed)) return 'AccessDenied'
  const path = url.pathname
    .split('/')
    .map((part) => encode(decodeURIComponent(part)))
    .join('/')
  const query = [...url.searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&')
  const headers = names
    .split(';')
    .map((name) => `${name}:${header(name)}\n`)
    .join('')
  const canonical = [request.method, path, query, headers, names, content].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', header('x-amz-date'), scope, hash(canonical)].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${wanted.secretAccessKey}`)
  const expected = hmac(key, toSign)
  return timingSafeEqual(expected, Buffer.from(signature, 'hex')) ? undefined : 'SignatureDoesNotMatch'
}

export async function startS3(credentials: S3Credentials): Promise<S3Server> {
  const objects = new Map<string, Buffer>()
  const log: string[] = []
  const faults: (number | 'cut')[] = []

  const say = (response: ServerResponse, status: number, code: string): void => {
    response.writeHead(status, { 'content-type': 'application/xml' })
    response.end(`<Error><Code>${code}</Code><Message>as ordered by the test</Message></Error>`)
  }

  const answer = (request: IncomingMessage, response: ServerResponse, body: Buffer): void => {
    const url = new URL(request.url ?? '/', 'http://s3')
    const fault = faults.shift()
    if (fault === 'cut') return void request.socket.destroy()
    if (fault !== undefined) return say(response, fault, 'SlowDown')
    const code = refusal(request, url, body, credentials)
    if (code !== undefined) return say(response, 403, code)
    const [, bucket, ...rest] = decodeURIComponent(url.pathname).split('/')
    if (bucket !== credentials.bucket) return say(response, 404, 'NoSuchBucket')
    const key = rest.join('/')
    log.push(`${request.method} ${key}`)
    if (request.method === 'PUT') {
      objects.set(key, body)
      return void response.writeHead(200).end()
    }
    const object = objects.get(key)
    if (object === undefined) return say(response, 404, 'NoSuchKey')
    response.writeHead(200, { 'content-length': object.length })
    response.end(request.method === 'HEAD' ? undefined : object)
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => answer(request, response, Buffer.concat(chunks)))
    request.on('error', () => undefined)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    objects,
    log,
    faults,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed())
        server.closeAllConnections()
      }),
  }
}
