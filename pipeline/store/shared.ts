/**
 * The shared store of this process, if it has one: what the object cache and the package store ask after their own.
 *
 * Set once, by a command that was given --store. A cache directory is one per process, and so is what stands behind it.
 */

import * as path from 'node:path'
import { UsageError } from '../errors.ts'
import type { SharedStore, SharedStoreOptions } from './remote.ts'

let current: SharedStore | undefined

export const sharedStore = (): SharedStore | undefined => current

export function useSharedStore(store: SharedStore | undefined): void {
  current = store
}

/** Open what --store names: a directory, or s3://bucket/prefix. Throws UsageError, InfrastructureError. */
export async function openStoreAt(address: string, options: SharedStoreOptions = {}): Promise<SharedStore> {
  const { openSharedStore } = await import('./remote.ts')
  if (address.startsWith('s3://')) {
    const { s3Bucket } = await import('./remote-s3.ts')
    return openSharedStore(s3Bucket(address), options)
  }
  if (address === '' || /^[a-z][a-z0-9+.-]*:\/\//i.test(address))
    throw new UsageError('not a store', {
      found: address === '' ? 'nothing' : address,
      expected: 'a directory, or s3://BUCKET/PREFIX',
      todo: 'correct --store',
    })
  const { directoryBucket } = await import('./remote-directory.ts')
  return openSharedStore(directoryBucket(path.resolve(address)), options)
}
