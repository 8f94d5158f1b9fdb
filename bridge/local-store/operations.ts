// Which operation a request asks for. S3 tells them apart by method, by whether there is a bucket and
// a key, and by the names in the query ("API Reference", "Actions").
//
// A parameter that an operation does not take may mean another operation altogether: PUT /b/k?tagging
// would overwrite the object with its tags. So what is not listed here is NotImplemented.

import type { IncomingHttpHeaders } from 'node:http'
import { createBucket, deleteBucket, getBucketLocation, headBucket, listBuckets } from './buckets.ts'
import type { Answer, Call, Store } from './call.ts'
import { completeMultipartUpload } from './complete-upload.ts'
import { refusal } from './errors.ts'
import type { ObjectName } from './files.ts'
import type { BucketName } from './keys.ts'
import { listObjects, listObjectsV2 } from './list-objects.ts'
import { listMultipartUploads, listParts } from './list-uploads.ts'
import { abortMultipartUpload, createMultipartUpload, uploadPart, uploadPartCopy } from './multipart.ts'
import { getObject, headObject } from './read-object.ts'
import type { Target } from './target.ts'
import { copyObject, deleteObject, deleteObjects, putObject } from './write-object.ts'

interface Route {
  readonly name: string
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE'
  readonly on: 'service' | 'bucket' | 'object'
  /** Query names that make it this operation. */
  readonly needs?: readonly string[]
  readonly takes?: readonly string[]
  /** A header that makes it this operation. */
  readonly header?: string
}

const listing = ['prefix', 'delimiter', 'max-keys', 'encoding-type']
const overrides = ['content-type', 'content-language', 'expires', 'cache-control', 'content-disposition', 'content-encoding']
  .map((name) => `response-${name}`)

/** The first that fits is meant, so what needs more stands first. */
const routes = [
  { name: 'ListBuckets', method: 'GET', on: 'service' },
  { name: 'GetBucketLocation', method: 'GET', on: 'bucket', needs: ['location'] },
  {
    name: 'ListMultipartUploads',
    method: 'GET',
    on: 'bucket',
    needs: ['uploads'],
    takes: ['prefix', 'delimiter', 'encoding-type', 'key-marker', 'upload-id-marker', 'max-uploads']
  },
  {
    name: 'ListObjectsV2',
    method: 'GET',
    on: 'bucket',
    needs: ['list-type'],
    takes: [...listing, 'continuation-token', 'start-after', 'fetch-owner']
  },
  { name: 'ListObjects', method: 'GET', on: 'bucket', takes: [...listing, 'marker'] },
  { name: 'HeadBucket', method: 'HEAD', on: 'bucket' },
  { name: 'CreateBucket', method: 'PUT', on: 'bucket' },
  { name: 'DeleteBucket', method: 'DELETE', on: 'bucket' },
  { name: 'DeleteObjects', method: 'POST', on: 'bucket', needs: ['delete'] },
  { name: 'ListParts', method: 'GET', on: 'object', needs: ['uploadId'], takes: ['max-parts', 'part-number-marker', 'encoding-type'] },
  { name: 'GetObject', method: 'GET', on: 'object', takes: overrides },
  { name: 'HeadObject', method: 'HEAD', on: 'object', takes: overrides },
  { name: 'UploadPartCopy', method: 'PUT', on: 'object', needs: ['uploadId', 'partNumber'], header: 'x-amz-copy-source' },
  { name: 'UploadPart', method: 'PUT', on: 'object', needs: ['uploadId', 'partNumber'] },
  { name: 'CopyObject', method: 'PUT', on: 'object', header: 'x-amz-copy-source' },
  { name: 'PutObject', method: 'PUT', on: 'object' },
  { name: 'AbortMultipartUpload', method: 'DELETE', on: 'object', needs: ['uploadId'] },
  { name: 'DeleteObject', method: 'DELETE', on: 'object' },
  { name: 'CreateMultipartUpload', method: 'POST', on: 'object', needs: ['uploads'] },
  { name: 'CompleteMultipartUpload', method: 'POST', on: 'object', needs: ['uploadId'] }
] as const satisfies readonly Route[]

export type Operation = typeof routes[number]['name']

export function readOperation (method: string, target: Target, headers: IncomingHttpHeaders): Operation {
  const on = target.bucket === undefined ? 'service' : target.key === undefined ? 'bucket' : 'object'
  const names = target.query.map(([name]) => name).filter((name) => !isForAny(name))
  const fitting = routes.filter((route) => route.method === method && route.on === on)
  const candidates: readonly (Route & { name: Operation })[] = fitting
  if (candidates.length === 0) throw refusal('MethodNotAllowed', `${method} is not allowed on the level of the ${on}`)
  const found = candidates.find(({ needs = [], takes = [], header }) =>
    (header === undefined || headers[header] !== undefined) && needs.every((name) => names.includes(name)) &&
    names.every((name) => needs.includes(name) || takes.includes(name)))
  if (found === undefined) {
    const parameters = names.map((name) => `?${name}`).join(' and ')
    throw refusal('NotImplemented', `${method} on the level of the ${on} with ${parameters} is not implemented`)
  }
  return found.name
}

export async function perform (operation: Operation, target: Target, store: Store, call: Call): Promise<Answer> {
  switch (operation) {
    case 'ListBuckets': return await listBuckets(store)
    case 'CreateBucket': return await createBucket(store, bucketOf(target))
    case 'HeadBucket': return await headBucket(store, bucketOf(target))
    case 'DeleteBucket': return await deleteBucket(store, bucketOf(target))
    case 'GetBucketLocation': return await getBucketLocation(store, bucketOf(target))
    case 'ListObjects': return await listObjects(store, call, bucketOf(target))
    case 'ListObjectsV2': return await listObjectsV2(store, call, bucketOf(target))
    case 'DeleteObjects': return await deleteObjects(store, call, bucketOf(target))
    case 'GetObject': return await getObject(store, call, objectOf(target))
    case 'HeadObject': return await headObject(store, call, objectOf(target))
    case 'PutObject': return await putObject(store, call, objectOf(target))
    case 'CopyObject': return await copyObject(store, call, objectOf(target))
    case 'DeleteObject': return await deleteObject(store, objectOf(target))
    case 'CreateMultipartUpload': return await createMultipartUpload(store, call, objectOf(target))
    case 'UploadPart': return await uploadPart(store, call, objectOf(target))
    case 'UploadPartCopy': return await uploadPartCopy(store, call, objectOf(target))
    case 'CompleteMultipartUpload': return await completeMultipartUpload(store, call, objectOf(target))
    case 'AbortMultipartUpload': return await abortMultipartUpload(store, call, objectOf(target))
    case 'ListMultipartUploads': return await listMultipartUploads(store, call, bucketOf(target))
    case 'ListParts': return await listParts(store, call, objectOf(target))
  }
}

function bucketOf ({ bucket, path }: Target): BucketName {
  if (bucket === undefined) throw refusal('InvalidURI', `${path} names no bucket`)
  return bucket
}

function objectOf (target: Target): ObjectName {
  if (target.key === undefined) throw refusal('InvalidURI', `${target.path} names no object`)
  return { bucket: bucketOf(target), key: target.key }
}

/** Presigned URLs carry their signature in the query, and headers too; x-id is a name that SDKs add for logs. */
function isForAny (name: string): boolean {
  return name === 'x-id' || /^x-amz-/i.test(name)
}
