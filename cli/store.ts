/** Opens what --store names, for all that this process builds. */
import { openStoreAt, sharedStore, useSharedStore } from '../pipeline/store/shared.ts'
import type { SharedStore } from '../pipeline/store/remote.ts'
import type { Context } from './context.ts'

export async function useStore(context: Context, address: unknown): Promise<SharedStore | undefined> {
  if (address === undefined) return undefined
  useSharedStore(await openStoreAt(String(address), { onNote: (text) => context.progress.note(text) }))
  return sharedStore()
}
