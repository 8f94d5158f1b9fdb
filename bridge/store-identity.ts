import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Config } from './config/config.ts'

/**
 * Tells one configuration of the store from another, and its secrets to nobody: twelve hex digits of a SHA-256 over
 * where it is, the bucket and the credentials. Those of AWS's standard chain are not known here and not in it.
 */
export function storeIdentity ({ s3, localStore }: Config): string {
  const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3
  const parts = s3.local
    ? ['local', resolve(localStore.dir), bucket] // its port may be another with every start
    : ['s3', endpoint ?? 'aws', region, bucket, accessKeyId ?? '', secretAccessKey ?? '']
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12)
}
