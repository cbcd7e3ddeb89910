/**
 * One thread that runs LLVM compiled to WebAssembly, once per message.
 *
 * The compiled module is shared by all threads of the process, so its machine code is made once. Each run is a new
 * instance with its own memory, which sees the real file system through WASI: nothing is copied in or out.
 */

import * as fs from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'

// node:wasi announces itself as experimental on every first use; a build log is no place for that.
process.emitWarning = () => undefined
const { WASI } = await import('node:wasi')

export interface YowaspJob {
  readonly id: number
  readonly args: readonly string[]
  readonly cwd: string
}

export interface YowaspDone {
  readonly id: number
  readonly status: number
  readonly output: string
  readonly ms: number
  /** The tool itself crashed: not a diagnosis of its input. */
  readonly crash?: string
}

const { module, scratch } = workerData as { module: WebAssembly.Module; scratch: string }

function run(job: YowaspJob): YowaspDone {
  const start = performance.now()
  const fd = fs.openSync(scratch, 'w+')
  const output = () => fs.readFileSync(scratch, 'utf8').slice(0, 1 << 20)
  try {
    const wasi = new WASI({
      version: 'preview1',
      args: [...job.args],
      env: {},
      preopens: { '/': '/' },
      stdout: fd,
      stderr: fd,
      returnOnExit: true,
    })
    const instance = new WebAssembly.Instance(module, wasi.getImportObject() as WebAssembly.Imports)
    const status = wasi.start(instance)
    return { id: job.id, status: status ?? 0, output: output(), ms: performance.now() - start }
  } catch (error) {
    return { id: job.id, status: 70, output: output(), ms: performance.now() - start, crash: String(error) }
  } finally {
    fs.closeSync(fd)
  }
}

// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.on('message', (job: YowaspJob) => parentPort?.postMessage(run(job)))
