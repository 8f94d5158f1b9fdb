// Every setting with its default and its meaning, in the shape of the file. The schema, the example,
// `config print`, the names in the environment and the flags all come from this page.

import * as z from 'zod'
import {
  address, choice, count, duration, flag, flagOr, later, list, optionalAddress, optionalText, rateOrUnlimited, secret,
  share, size, text, type Form
} from './kinds.ts'
import { httpLimits } from './http-limits.ts'
import { laneRules, laneShares } from './lanes.ts'
import { mqttLimits } from './mqtt-limits.ts'
import { names } from './names.ts'
import { schedule, timeZone } from './schedule.ts'

const IMAGE_TYPE: Form = {
  pattern: /^image\/[a-z0-9.+-]+$/,
  refusal: 'is not a list of image types; write it like [image/jpeg, image/png]'
}
// No wildcard, nothing of the broker's own below $, and none of the topics that are Sluice's.
const TOPIC_PREFIX: Form = {
  pattern: /^(?!sluice(\/|$))[A-Za-z0-9._~-]+(\/[A-Za-z0-9._~-]+)*$/,
  refusal: 'cannot start a device topic; write letters and digits, like devices or site-1/devices'
}
const SITE: Form = {
  pattern: /^[A-Za-z0-9._~-]{1,64}$/,
  refusal: 'is no name of a site; write up to 64 letters and digits, like main or berlin-2'
}
// Credentials in a URL would be printed wherever the URL is.
const ENDPOINT: Form = {
  pattern: /^https?:\/\/[A-Za-z0-9.[\]:-]+\/?$/,
  refusal: 'is not the URL of a store; write it like https://s3.example.com:9000'
}
const BUCKET: Form = {
  pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/,
  refusal: 'is not a bucket name; write 3 to 63 letters, digits, dots or hyphens'
}

export const settings = z.strictObject({
  dataDir: text('./data', 'Everything Sluice keeps: the spool and, where there is no other store, the objects.'),

  mqtt: section('Where devices publish their images.', {
    listen: address('127.0.0.1:1883', 'Host and port for MQTT 3.1.1 over TCP.'),
    tls: section('The same over TLS 1.2 or 1.3. The files are read again at SIGHUP.', {
      listen: optionalAddress('Host and port, like 0.0.0.0:8883.', 'no TLS'),
      cert: optionalText('A PEM file with the certificate and those that lead to its root.', 'none'),
      key: optionalText('A PEM file with its private key.', 'none'),
      clientCa: optionalText('A PEM file with the root of client certificates; each client then needs one, and its common name is who it is.',
        'clients need no certificate'),
      crl: optionalText('A PEM file of revocation lists, one of each authority up to that root; whose certificate is in one is refused.',
        'none is revoked')
    }),
    ws: section('MQTT over WebSocket, subprotocol mqtt, for browsers and proxies.', {
      listen: optionalAddress('Host and port, like 127.0.0.1:8083.', 'no WebSocket'),
      tlsListen: optionalAddress('The same over TLS, with the certificate of mqtt.tls, like 0.0.0.0:8084.', 'no WSS')
    }),
    limits: mqttLimits,
    topicPrefix: text('devices', 'The first part of every device topic: devices/{deviceId}/images.',
      TOPIC_PREFIX),
    maxPacketSize: size('8MB', 'Larger packets are cut off on their declared length, before they are read.',
      { min: 1024, max: 256_000_000 }),
    memoryBudget: size('128MB', 'Image bytes being read or not yet durable, all devices together.'),
    site: text('main', 'The name of this site in the topics sluice/{site}/state, /info and /stats.', SITE),
    sysInterval: duration('10s', 'How often $SYS/broker/... is published, for MQTT Explorer and mosquitto-exporter; 0s: never.',
      { max: 3_600_000 }),
    maxConnections: count(10_000, 'Connections beyond this are closed at once.', { min: 1, max: 1_000_000 })
  }),

  auth: section('Who may publish.', {
    anonymous: choice(['loopback', 'always', 'never'],
      'Clients without a name: loopback (from this machine only), always (from anywhere), never.'),
    passwordFile: optionalText('Names and passwords in mosquitto_passwd\'s format; a device\'s name is its deviceId. Make entries with: sluice passwd.',
      'names mean nothing'),
    aclFile: optionalText('Who may use topics beyond a device\'s own, in mosquitto\'s format: user, topic and pattern lines.',
      'devices keep to their own topics, clients without a name may use all'),
    operators: names('Users who may do everything over HTTP and read everything over MQTT; they are no devices.'),
    viewers: names('Users who may look over HTTP and read $SYS and states over MQTT; they are no devices.'),
    jwt: section('Tokens as MQTT passwords and HTTP bearer tokens; their sub is the user. Files are read again at SIGHUP.', {
      secretFile: optionalText('A file that holds a secret of 32 bytes or more, for HS256.', 'no HS256'),
      publicKeyFile: optionalText('A PEM file of public keys: RSA for RS256, P-256 for ES256, Ed25519 for EdDSA.', 'none'),
      jwksFile: optionalText('A file with a JSON Web Key Set; a token names its key by kid.', 'none'),
      issuer: optionalText('What iss has to be.', 'any'),
      audience: optionalText('What aud has to hold.', 'any'),
      revokedFile: optionalText('A file of tokens that count no more, one a line: jti <id>, or sub <user>.', 'none')
    })
  }),

  intake: section('What is taken into custody.', {
    imageTypes: list(['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif', 'image/heic'],
      'Told by the first bytes of the image, never by its name.', IMAGE_TYPE),
    imageKey: text('image', 'The key of a JSON envelope that holds the image.'),
    dedupWindow: duration('24h', 'A repeat of an image within this time is acknowledged and not stored again.',
      { max: 366 * 86_400_000 }),
    withhold: duration('10s', 'How long a PUBACK is withheld while nothing can be stored, before the connection is closed.',
      { min: 100, max: 3_600_000 })
  }),

  spool: section('Where images wait for the uplink.', {
    dir: optionalText('The directory of the spool; best on a disk of its own.', '<dataDir>/spool'),
    segmentSize: size('64MiB', 'Images are kept in segments of this size, each removed whole once it is uploaded.',
      { min: 2 ** 20, max: 2 ** 30 }),
    limit: size('20GB', 'Once so much waits, PUBACKs are withheld and devices keep their images.'),
    softMark: later(),
    onFull: choice(['block'], 'What happens at the limit: block (devices keep their images).', ['thin']),
    reserve: size('256MB', 'Kept free on the volume: recovery after a failed write needs room.')
  }),

  s3: section('The object store.', {
    endpoint: optionalText('URL of an S3-compatible store.', 'AWS where a bucket is given, else the local store',
      ENDPOINT),
    region: text('us-east-1', 'The region that requests are signed for.'),
    bucket: optionalText('The bucket for the images.', 'images', BUCKET),
    pathStyle: flagOr('auto', 'Bucket in the path instead of the host name; auto: wherever an endpoint is given.'),
    key: text('images/{deviceId}/{yyyy}/{MM}/{dd}/{imageId}.{ext}',
      'The key of an object; the date is the UTC time of acceptance.'),
    ifNoneMatch: flag(false, 'Ask the store to refuse an overwrite; not every store can.'),
    integrity: choice(['sha256', 'md5', 'crc32'], 'What the store is asked to verify; old radosgw and Swift know only md5.'),
    partSize: size('8MiB', 'Larger objects go in parts of this size, and after a fault go on where it cut them off.',
      { min: 5 * 2 ** 20, max: 5 * 2 ** 30 }),
    accessKeyId: secret('Given together with the secret key.', "AWS's standard chain of credentials"),
    accessKeyIdFile: optionalText('A file that holds the access key id.', 'none'),
    secretAccessKey: secret('Better given in a file of its own.', "AWS's standard chain of credentials"),
    secretAccessKeyFile: optionalText('A file that holds the secret key.', 'none')
  }),

  localStore: section('The store that is started where s3 names none.', {
    listen: address('127.0.0.1:0', 'Host and port; with port 0 any free one.')
  }),

  uplink: section('The line to the store, and how much of it is ours.', {
    capacity: rateOrUnlimited('200Mbit', 'What the line carries upwards, in bits per second; unlimited: nothing is held back.',
      { min: 8_000 }),
    share: share('20%', 'How much of it uploads may take.', { above: 0, max: 1 }),
    overhead: share('5%', 'Taken off for what TCP and IP add to it.', { max: 0.5 }),
    schedule: schedule('Other shares of it by the week: [{ days: mon-fri, from: "22:00", to: "06:00", share: 60% }], or rate: 6Mbit, or off: true.'),
    concurrency: count(8, 'Puts running side by side.', { min: 1, max: 1_000 }),
    order: choice(['fair', 'oldest', 'newest', 'newest-per-device'],
      'What goes next within a lane: fair (each device the same bytes), oldest, newest, newest-per-device (then backfill).'),
    lanes: laneShares({ alarm: 0.4, normal: 0.4, bulk: 0.2 },
      'The least share of the allowance each lane gets; what one does not use the others borrow, alarm first.'),
    laneRules: laneRules('Which images go in which lane, by device or topic; the first that fits. Others: normal.'),
    retryShare: share('10%', 'How much of the allowance repeated attempts may take while new images wait.',
      { above: 0, max: 1 }),
    timeout: duration('60s', 'How long a put may go without progress before it is tried again.', { min: 1_000, max: 3_600_000 }),
    timeZone: timeZone('Of the hours in the schedule, with daylight saving, like Europe/Berlin.')
  }),

  slo: section('What counts as in time.', {
    target: duration('10s', 'From acceptance to confirmed upload.', { min: 100 }),
    objective: share('99%', 'The share of images that should make it.', { above: 0, max: 1 })
  }),

  http: section('Status page, metrics and API.', {
    listen: address('127.0.0.1:8080', 'Host and port.'),
    token: secret('What a request that changes something must carry; needed beyond loopback.', 'none'),
    tokenFile: optionalText('A file that holds the token.', 'none'),
    limits: httpLimits
  }),

  log: section('What is written to the log.', {
    level: choice(['info', 'debug', 'warn', 'error'], 'debug, info, warn or error.'),
    format: choice(['auto', 'json', 'text'], 'auto: text on a terminal, else json.')
  }),

  shutdown: section('How the service ends.', {
    grace: duration('30s', 'How long running puts may take to end; what waits stays on disk.', { max: 3_600_000 })
  })
})

export type Settings = z.output<typeof settings>

function section<Shape extends z.core.$ZodLooseShape> (description: string, shape: Shape) {
  const fields = z.strictObject(shape)
  // Every setting has a default of its own, which the type of a shape still open cannot say.
  return fields.prefault({} as z.input<typeof fields>).meta({ description })
}
