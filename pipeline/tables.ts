/** Where the tables are that people keep: which names of the kernel lead where, what trees have, what is answered instead. */
import * as path from 'node:path'
import { packageRoot } from './root.ts'

const table = (name: string): string => path.join(packageRoot, 'linux-api', name)

/** See build/authority.ts. */
export const AUTHORITY_FILE: string = table('authority.tsv')
/** See core/features.ts. */
export const FEATURES_FILE: string = table('features.tsv')
/** See core/overrides.ts. */
export const OVERRIDES_FILE: string = table('overrides.tsv')
