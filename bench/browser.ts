/** A headless chromium for the page's tests and timings: Debian's, found or brought as the other host programs are. */
import puppeteer, { type Browser } from 'puppeteer-core'
import { ensureHostTools } from '../pipeline/toolchain/host-packages.ts'
import { findProgram } from '../pipeline/toolchain/process.ts'

/** Throws InfrastructureError, saying what to do, when there is none and it cannot be brought. */
export async function launchChromium(): Promise<Browser> {
  const { env } = await ensureHostTools(['chromium'], { progress: (line) => process.stderr.write(`${line}\n`) })
  const executablePath = (await findProgram('chromium', env['PATH'] ?? ''))!
  // Its sandbox needs rights that containers and root do not have; what it opens here is our own file.
  const args = ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
  return puppeteer.launch({ executablePath, env, args, timeout: 120_000, protocolTimeout: 600_000 })
}
