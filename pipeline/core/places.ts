/** Where cores are kept. */
import * as path from 'node:path'
import { cachePath, exists } from '../cache.ts'

export const coreDir = (key: string): string => cachePath('store', 'cores', key)
export const factsIn = (key: string): string => path.join(coreDir(key), 'facts.json')

/** Whether a core is kept. */
export const isKept = (key: string): Promise<boolean> => exists(factsIn(key))
