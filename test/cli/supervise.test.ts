/** A supervised process: what it ends with, being started again, being interrupted, and outliving nobody. */
import test from 'ava'
import { execFile } from 'node:child_process'
import * as fs from 'node:fs/promises'
import * as os from 'node:os'
import * as path from 'node:path'
import { promisify } from 'node:util'
import { supervise } from '../../cli/supervise.ts'
import { InfrastructureError } from '../../pipeline/errors.ts'

const work = await fs.mkdtemp(path.join(os.tmpdir(), 'drvport-supervise-'))
test.after.always(() => fs.rm(work, { recursive: true, force: true }))

const NEVER = new AbortController().signal
const notes: string[] = []
const run = (code: string, signal = NEVER) =>
  supervise({ words: ['-e', code], signal, onNote: (text) => notes.push(text), pause_ms: 1 })

test('a status is passed on', async (t) => {
  t.is(await run('process.exitCode = 0'), 0)
  t.is(await run('process.exitCode = 3'), 3)
})

test('what dies without a word is started again, until it ends well', async (t) => {
  const count = path.join(work, 'count')
  const code = `
    const fs = require('node:fs')
    fs.appendFileSync(${JSON.stringify(count)}, 'x')
    if (fs.readFileSync(${JSON.stringify(count)}).length < 3) process.kill(process.pid, 'SIGKILL')`
  t.is(await run(code), 0)
  t.is((await fs.readFile(count, 'utf8')).length, 3)
  t.true(notes.some((note) => /died \(SIGKILL\)/.test(note)))
})

test('what dies again and again is given up, with the reason', async (t) => {
  const error = await t.throwsAsync(run("process.kill(process.pid, 'SIGABRT')"), { instanceOf: InfrastructureError })
  t.regex(error?.describe() ?? '', /SIGABRT, 5 times/)
})

test('an interruption reaches it once', async (t) => {
  const controller = new AbortController()
  const ready = path.join(work, 'ready')
  const code = `
    let times = 0
    process.on('SIGINT', () => { times++; setTimeout(() => process.exit(times === 1 ? 130 : 9), 100) })
    require('node:fs').writeFileSync(${JSON.stringify(ready)}, '')
    setInterval(() => {}, 1000)`
  const ended = run(code, controller.signal)
  while (
    !(await fs.stat(ready).then(
      () => true,
      () => false,
    ))
  )
    await new Promise((go) => setTimeout(go, 10))
  controller.abort()
  t.is(await ended, 130)
})

test('it ends when its supervisor is gone', async (t) => {
  const supervisor = path.join(import.meta.dirname, '../../cli/supervise.ts')
  const pid = path.join(work, 'pid')
  const child = `
    const { endWithSupervisor } = await import(${JSON.stringify(supervisor)})
    const fs = await import('node:fs')
    endWithSupervisor()
    process.on('SIGINT', () => { fs.writeFileSync(${JSON.stringify(`${pid}.ended`)}, ''); process.exit(130) })
    setInterval(() => {}, 1000)
    fs.writeFileSync(${JSON.stringify(pid)}, '')`
  const parent = `
    const { supervise } = await import(${JSON.stringify(supervisor)})
    const fs = await import('node:fs')
    void supervise({ words: ['--input-type=module', '-e', ${JSON.stringify(child)}], signal: new AbortController().signal, onNote() {} })
    setInterval(() => { if (fs.existsSync(${JSON.stringify(pid)})) process.kill(process.pid, 'SIGKILL') }, 20)`
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', parent]).catch(() => undefined)
  const ended = () =>
    fs.stat(`${pid}.ended`).then(
      () => true,
      () => false,
    )
  while (!(await ended())) await new Promise((go) => setTimeout(go, 20))
  t.pass()
})
