/**
 * A headless chromium: Debian's, found or brought. It loads the job from a server on the loopback interface and sends
 * what it has to say back to it.
 */
import { randomUUID } from 'node:crypto'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import * as fs from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as os from 'node:os'
import * as path from 'node:path'
import { InfrastructureError, Interrupted } from '../errors.ts'
import { ensureHostTools } from '../toolchain/host-packages.ts'
import { findProgram, runTool } from '../toolchain/process.ts'
import type { BringOptions, Engine, Job } from './types.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
}

export async function bringChromium(options: BringOptions): Promise<Engine> {
  const { env } = await ensureHostTools(['chromium'], options)
  const program = (await findProgram('chromium', env['PATH'] ?? ''))!
  const version = (await runTool(program, ['--version'], { env })).stdout.trim()
  return { name: 'chromium', about: `${version}, headless`, run: (job) => runPage(program, env, job) }
}

/** The page does nothing itself: a worker may compile modules of any size, and is not drawn. */
const page = (entry: string): string =>
  `<!doctype html><meta charset="utf-8"><title>drvport</title><script>new Worker('${entry}', { type: 'module' })</script>\n`

async function runPage(program: string, env: NodeJS.ProcessEnv, job: Job): Promise<void> {
  // Nobody else on this computer can guess it, so nobody else is served or heard.
  const secret = randomUUID()
  const done = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    answer(job, secret, request, response, done.resolve).catch((error: Error) => {
      response.writeHead(500).end()
      done.reject(error)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const profile = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-chromium-'))
  const { port } = server.address() as AddressInfo
  const browser = start(program, env, profile, `http://127.0.0.1:${port}/${secret}/`, done.reject)
  const abort = (): void => done.reject(new Interrupted())
  job.signal?.addEventListener('abort', abort, { once: true })
  try {
    await done.promise
  } finally {
    job.signal?.removeEventListener('abort', abort)
    await stop(browser, server)
    await fs.rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}

function start(
  program: string,
  env: NodeJS.ProcessEnv,
  profile: string,
  url: string,
  failed: (error: Error) => void,
): ChildProcess {
  // Its sandbox needs rights that containers and root do not have; what it opens here is our own page.
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run']
  const browser = spawn(program, [...args, `--user-data-dir=${profile}`, url], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  })
  let said = ''
  browser.stderr?.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const report = (found: string): void =>
    failed(new InfrastructureError('chromium failed', { where: program, found, todo: 'see `drvport doctor`' }))
  browser.on('error', (error) => report(error.message))
  browser.on('exit', (status, signal) =>
    report(said.trim().split('\n').slice(-4).join('; ') || `ended with ${status ?? signal}`),
  )
  return browser
}

async function stop(browser: ChildProcess, server: Server): Promise<void> {
  server.closeAllConnections()
  server.close()
  if (browser.pid === undefined || browser.exitCode !== null || browser.signalCode !== null) return
  const ended = once(browser, 'exit')
  try {
    process.kill(-browser.pid, 'SIGKILL')
  } catch {
    // It has just ended.
  }
  await ended
}

/** GET of a file of the job; POST of lines of JSON to `said`; POST to `done`. */
async function answer(
  job: Job,
  secret: string,
  request: IncomingMessage,
  response: ServerResponse,
  end: () => void,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (!pathname.startsWith(`/${secret}/`)) return void response.writeHead(404).end()
  const name = pathname.slice(secret.length + 2)
  if (request.method === 'POST') {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk as string
    for (const line of text.split('\n')) if (line !== '') job.onMessage(JSON.parse(line))
    response.writeHead(204).end()
    if (name === 'done') end()
    return
  }
  if (name === '') return void response.writeHead(200, { 'content-type': 'text/html' }).end(page(job.entries.page))
  const file = path.resolve(job.dir, name)
  const bytes = file.startsWith(`${job.dir}${path.sep}`) ? await fs.readFile(file).catch(() => undefined) : undefined
  if (bytes === undefined) return void response.writeHead(404).end()
  response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' }).end(bytes)
}
