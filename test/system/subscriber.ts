// The usual way from a broker to a bucket, in thirty lines: subscribe at QoS 1 and put what comes. The PUBACK
// to the broker goes out as soon as an image is here, and what is here is nowhere else.
// Run as a process of its own: subscriber.ts MQTT-PORT S3-ENDPOINT BUCKET ACCESS-KEY SECRET-KEY

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { connect } from 'mqtt'

const [port, endpoint = '', bucket = '', accessKeyId = '', secretAccessKey = ''] = process.argv.slice(2)
const store = new S3Client({
  endpoint, region: 'us-east-1', forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }
})
const client = connect(`mqtt://127.0.0.1:${port}`, { clientId: 'subscriber' })
client.on('message', (topic, payload) => {
  const [, device, , image] = topic.split('/')
  store.send(new PutObjectCommand({ Bucket: bucket, Key: `${device}/${image}.jpg`, Body: payload }))
    .catch((error: unknown) => { console.error(String(error)) })
})
client.on('connect', () => {
  client.subscribe('devices/+/images/+', { qos: 1 }, () => { console.log('subscribed') })
})
