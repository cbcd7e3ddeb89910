/**
 * A bucket of an S3-compatible service.
 *
 * `s3://BUCKET/PREFIX[?endpoint=URL&region=NAME&style=path|host]`. What the address leaves out comes from the usual
 * environment: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, AWS_REGION or AWS_DEFAULT_REGION, AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN. With an endpoint of one's own the bucket is part of the path, as most services
 * other than AWS want it. Uploads are signed with the hash of their content, so the service refuses a damaged one.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { AwsClient } from 'aws4fetch'
import { sha256 } from '../cache.ts'
import { InfrastructureError, UsageError } from '../errors.ts'
import type { Bucket } from './remote.ts'

export interface S3Address {
  readonly bucket: string
  /** Without slashes at its ends; may be empty. */
  readonly prefix: string
  readonly region: string
  /** URL under which the bucket's keys are. */
  readonly base: string
}

/** A slow service is asked again, a dead one is given up after about this: 0.2 + 0.4 + ... seconds. */
const TRIES = 6
const FIRST_PAUSE_MS = 200
const REQUEST_TIMEOUT_MS = 60_000

/** Throws UsageError for what is no address. */
export function parseS3(address: string, env: NodeJS.ProcessEnv = process.env): S3Address {
  const url = URL.parse(address)
  const refuse = (found: string): never => {
    throw new UsageError('not the address of an S3 store', {
      where: address,
      expected: 's3://BUCKET/PREFIX, with ?endpoint=http://HOST:PORT for a service of your own',
      found,
      todo: 'correct --store',
    })
  }
  if (url === null || url.protocol !== 's3:') return refuse('another kind of address')
  const bucket = url.hostname
  if (bucket === '') refuse('no bucket')
  const options = new Set(['endpoint', 'region', 'style'])
  for (const name of url.searchParams.keys()) if (!options.has(name)) refuse(`an unknown option ${name}`)
  const region = url.searchParams.get('region') ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1'
  const endpoint = url.searchParams.get('endpoint') ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  if (endpoint !== undefined && URL.parse(endpoint) === null) refuse(`an endpoint that is no URL: ${endpoint}`)
  const style = url.searchParams.get('style') ?? (endpoint === undefined ? 'host' : 'path')
  const service = new URL(endpoint ?? `https://s3.${region}.amazonaws.com`)
  if (style === 'path') service.pathname = `${service.pathname.replace(/\/$/, '')}/${bucket}`
  else service.hostname = `${bucket}.${service.hostname}`
  return {
    bucket,
    prefix: decodeURIComponent(url.pathname).replaceAll(/^\/+|\/+$/g, ''),
    region,
    base: service.href.replace(/\/$/, ''),
  }
}

function clientFor(region: string, env: NodeJS.ProcessEnv): AwsClient {
  const accessKeyId = env['AWS_ACCESS_KEY_ID']
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY']
  const sessionToken = env['AWS_SESSION_TOKEN']
  if (!accessKeyId || !secretAccessKey)
    throw new UsageError('no credentials for the S3 store', {
      expected: 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment',
      found: accessKeyId ? 'no AWS_SECRET_ACCESS_KEY' : 'no AWS_ACCESS_KEY_ID',
      todo: 'set them, on every worker too',
    })
  // Its own repetition does not cover a lost connection: done here.
  return new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken && { sessionToken }),
    service: 's3',
    region,
    retries: 0,
  })
}

/** Code of an S3 error document, or the status. */
async function whatItSaid(response: Response): Promise<string> {
  const text = await response.text().catch(() => '')
  const [, code] = /<Code>([^<]+)<\/Code>/.exec(text) ?? []
  const [, message] = /<Message>([^<]+)<\/Message>/.exec(text) ?? []
  return [`HTTP ${response.status}`, code, message].filter((part) => part !== undefined).join(': ')
}

export function s3Bucket(address: string, env: NodeJS.ProcessEnv = process.env): Bucket {
  const { prefix, region, base } = parseS3(address, env)
  const client = clientFor(region, env)
  const urlOf = (name: string) =>
    [base, ...(prefix === '' ? [] : [prefix]), name]
      .map((part, i) => (i === 0 ? part : part.split('/').map(encodeURIComponent).join('/')))
      .join('/')

  const fail = (name: string, found: string, cause?: unknown): never => {
    throw new InfrastructureError('the shared store cannot be used', {
      where: `${name} in ${address} at ${new URL(base).host}`,
      expected: 'an S3 service that answers, and a bucket that these credentials may read and write',
      found,
      ...(cause !== undefined && { cause }),
      todo: 'check --store, its endpoint and region, and AWS_ACCESS_KEY_ID',
    })
  }

  /** Ask until there is an answer that asking again would not change. */
  const ask = async (method: 'GET' | 'HEAD' | 'PUT', name: string, body?: Uint8Array): Promise<Response> => {
    for (let tried = 1; ; tried++) {
      const response = await client
        .fetch(urlOf(name), {
          method,
          signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
          headers: { 'x-amz-content-sha256': sha256(body ?? '') },
          ...(body && { body: body as Uint8Array<ArrayBuffer> }),
        })
        .catch((error: Error) => error)
      const retry = response instanceof Error || response.status >= 500 || response.status === 429
      if (!retry) return response
      if (tried === TRIES) {
        if (response instanceof Error) return fail(name, reasonOf(response), response)
        return fail(name, await whatItSaid(response))
      }
      if (!(response instanceof Error)) await response.body?.cancel()
      await sleep(FIRST_PAUSE_MS * 2 ** (tried - 1))
    }
  }

  return {
    where: address,
    async has(name) {
      const response = await ask('HEAD', name)
      if (response.ok) return true
      if (response.status === 404) return false
      return fail(name, await whatItSaid(response))
    },
    async get(name) {
      const response = await ask('GET', name)
      if (response.ok) return new Uint8Array(await response.arrayBuffer())
      const said = await whatItSaid(response)
      // An absent key is an answer; an absent bucket is a mistake.
      if (response.status === 404 && !said.includes('NoSuchBucket')) return undefined
      return fail(name, said)
    },
    async put(name, bytes) {
      const response = await ask('PUT', name, bytes)
      if (!response.ok) fail(name, await whatItSaid(response))
      await response.body?.cancel()
    },
  }
}

/** fetch says only that it failed; why is in the cause. */
const reasonOf = (error: Error): string =>
  (error.cause instanceof Error ? error.cause.message : error.message) || 'no answer'
