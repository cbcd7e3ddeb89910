/** Where everything is that drvport keeps: for those who start before anything else is read. */
import * as os from 'node:os'
import * as path from 'node:path'

/** Root of it: DRVPORT_CACHE, or drvport under the user's cache. Not created here. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['DRVPORT_CACHE']) return path.resolve(env['DRVPORT_CACHE'])
  const base = env['XDG_CACHE_HOME'] ? path.resolve(env['XDG_CACHE_HOME']) : path.join(os.homedir(), '.cache')
  return path.join(base, 'drvport')
}
