import { requireBucket, xmlAnswer, type Answer, type Store } from './call.ts'
import { refusal } from './errors.ts'
import type { BucketName } from './keys.ts'

/** Everything belongs to the one pair of credentials. */
export const owner = { ID: 'sluice', DisplayName: 'sluice' }

export async function listBuckets ({ files }: Store): Promise<Answer> {
  const buckets = await files.buckets.list()
  const rows = buckets.map(({ name, createdAt }) => ({ Name: name, CreationDate: new Date(createdAt).toISOString() }))
  return xmlAnswer('ListAllMyBucketsResult', { Owner: owner, Buckets: { Bucket: rows } })
}

/** Nothing for us-east-1 (API Reference, GetBucketLocation). */
export async function getBucketLocation (store: Store, bucket: BucketName): Promise<Answer> {
  await requireBucket(store, bucket)
  return xmlAnswer('LocationConstraint', store.region === 'us-east-1' ? '' : store.region)
}

/** A location asked for in the body is not looked at: there is one. */
export async function createBucket ({ files }: Store, bucket: BucketName): Promise<Answer> {
  if (!await files.buckets.create(bucket)) {
    throw refusal('BucketAlreadyOwnedByYou', `the bucket ${bucket} is already there`)
  }
  return { status: 200, headers: { location: `/${bucket}` } }
}

export async function headBucket (store: Store, bucket: BucketName): Promise<Answer> {
  await requireBucket(store, bucket)
  return { status: 200, headers: { 'x-amz-bucket-region': store.region } }
}

export async function deleteBucket (store: Store, bucket: BucketName): Promise<Answer> {
  await requireBucket(store, bucket)
  if (!await store.files.buckets.remove(bucket)) {
    throw refusal('BucketNotEmpty', `the bucket ${bucket} still holds objects`)
  }
  return { status: 204 }
}
