// A bucket, as a process of its own, of so many images that are made as they are read: even-bucket.ts COUNT BYTES

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { DeviceId } from '../broker/topics.ts'
import { formatImageName, formatMark } from '../device-sim/images/mark.ts'

const RUN = '0123abcd'
const DEVICE = 'sim-0001' as DeviceId
const PAGE = 1000

export function nameOf (number: number): ReturnType<typeof formatImageName> {
  return formatImageName({ run: RUN, number })
}

export function imageOf (number: number, bytes: number): Buffer {
  const image = Buffer.alloc(bytes, number & 255)
  image.write(formatMark({ run: RUN, deviceId: DEVICE, number, capturedAt: 0 }))
  return image
}

function serve (count: number, bytes: number): void {
  const bucket = createServer(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://bucket')
    if (!searchParams.has('list-type')) {
      const image = imageOf(Number(/-(\d+)\.jpg$/.exec(pathname)?.[1]), bytes)
      response.setHeader('content-length', image.length).end(image)
      return
    }
    const from = Number(searchParams.get('continuation-token') ?? 0)
    const until = Math.min(count, from + PAGE)
    const at = new Date().toISOString()
    const contents = Array.from({ length: until - from }, (_, index) => `<Contents><Key>images/${DEVICE}/${nameOf(from + index)}.jpg` +
      `</Key><LastModified>${at}</LastModified><ETag>"${from + index}"</ETag><Size>${bytes}</Size></Contents>`)
    response.end(`<?xml version="1.0"?><ListBucketResult><IsTruncated>${until < count}</IsTruncated>` +
      `<NextContinuationToken>${until}</NextContinuationToken>${contents.join('')}</ListBucketResult>`)
  })
  bucket.listen(0, '127.0.0.1', () => { console.log(`listening on ${(bucket.address() as AddressInfo).port}`) })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) serve(Number(process.argv[2]), Number(process.argv[3]))
