// A whole Ceph for one test: one monitor, one OSD that keeps everything in memory, one S3 gateway. No
// manager and no authentication among the three (cephx off), so there are no keyrings; on loopback only.
// Without cephx nothing is encrypted, and a gateway would insist on that towards the monitor: hence `crc`.
// Options: https://docs.ceph.com/en/pacific/rados/configuration/ and .../radosgw/config-ref/

import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, runWell, startPeer, type Peer, type Scope } from './peers.ts'

export const CEPH_COMMANDS = ['ceph', 'ceph-mon', 'ceph-osd', 'radosgw', 'radosgw-admin']
export const GATEWAY_KEYS = { accessKeyId: 'CAMERASITE', secretAccessKey: 'a-secret-of-the-site' }
export const GATEWAY_REGION = 'us-east-1'

export interface Gateway {
  readonly endpoint: string
  /** kill -9: connections break off and new ones are refused. */
  kill (): Promise<void>
  start (): Promise<void>
  /** Connections are taken, and nothing is answered. */
  pause (): void
  resume (): void
  /** Runs radosgw-admin. */
  admin (...args: readonly string[]): Promise<string>
  /** Another gateway to the same objects, with options of its own; resolves with its endpoint. */
  startSecond (...args: readonly string[]): Promise<string>
}

/** Where Sluice finds the gateway: 0.95 MB/s, so that uploads are under way for a while. */
export function gatewayEnv (endpoint: string, bucket: string): Readonly<Record<string, string>> {
  return {
    SLUICE_S3_ENDPOINT: endpoint,
    SLUICE_S3_REGION: GATEWAY_REGION,
    SLUICE_S3_BUCKET: bucket,
    SLUICE_S3_INTEGRITY: 'md5',
    SLUICE_S3_ACCESS_KEY_ID: GATEWAY_KEYS.accessKeyId,
    SLUICE_S3_SECRET_ACCESS_KEY: GATEWAY_KEYS.secretAccessKey,
    SLUICE_UPLINK_CAPACITY: '8Mbit',
    SLUICE_UPLINK_SHARE: '100%'
  }
}

export async function startRadosgw (t: Scope): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-ceph-'))
  const [monPort, port] = [await freePort(), await freePort()]
  const conf = join(directory, 'ceph.conf')
  const fsid = randomUUID()
  await writeFile(conf, formatConf(directory, { fsid, monPort, port }))
  for (const name of ['run', 'log', 'mon', 'osd', 'rgw']) await mkdir(join(directory, name))
  const ceph = (...args: string[]): Promise<string> => runWell('ceph', ['-c', conf, '--connect-timeout', '5', ...args])

  await runWell('ceph-mon', ['-c', conf, '-i', 'a', '--mkfs'])
  await startPeer(t, 'ceph-mon', ['-c', conf, '-i', 'a', '-f'], () => succeeds(ceph('health')))
  const osd = randomUUID()
  await ceph('osd', 'new', osd, '0')
  await runWell('ceph-osd', ['-c', conf, '-i', '0', '--mkfs', '--osd-uuid', osd])
  await startPeer(t, 'ceph-osd', ['-c', conf, '-i', '0', '-f'], async () => (await ceph('osd', 'stat')).includes('1 up'))
  const endpoint = `http://127.0.0.1:${port}`
  let gateway: Peer | undefined
  const start = async (): Promise<void> => {
    gateway = await startPeer(t, 'radosgw', ['-c', conf, '-n', 'client.rgw', '-f'], () => succeeds(fetch(endpoint)))
  }
  await start()
  const { accessKeyId, secretAccessKey } = GATEWAY_KEYS
  const admin = (...args: readonly string[]): Promise<string> => runWell('radosgw-admin', ['-c', conf, ...args])
  await admin('user', 'create', '--uid', 'site', '--display-name', 'site',
    '--access-key', accessKeyId, '--secret-key', secretAccessKey)
  // Hooks run in the order they were given, so the daemons are gone by then; where a start fails, the logs stay.
  t.after(() => rm(directory, { recursive: true }))
  return {
    endpoint,
    start,
    kill: async () => { await gateway?.end('SIGKILL') },
    pause: () => { gateway?.send('SIGSTOP') },
    resume: () => { gateway?.send('SIGCONT') },
    admin,
    async startSecond (...args) {
      const second = await freePort()
      const frontend = `--rgw-frontends=beast endpoint=127.0.0.1:${second}`
      const at = `http://127.0.0.1:${second}`
      await startPeer(t, 'radosgw', ['-c', conf, '-n', 'client.rgw', '-f', frontend, ...args], () => succeeds(fetch(at)))
      return at
    }
  }
}

async function succeeds (attempt: Promise<unknown>): Promise<boolean> {
  return await attempt.then(() => true, () => false)
}

interface Names {
  readonly fsid: string
  readonly monPort: number
  readonly port: number
}

/** Small pools without copies, or the one OSD would not take them. */
function formatConf (directory: string, { fsid, monPort, port }: Names): string {
  return `[global]
fsid = ${fsid}
mon host = v2:127.0.0.1:${monPort}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
run dir = ${directory}/run
admin socket = ${directory}/run/$name.$pid.asok
log file = ${directory}/log/$name.log
crash dir = ${directory}/log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
[mon.a]
mon data = ${directory}/mon
[osd.0]
public addr = 127.0.0.1
cluster addr = 127.0.0.1
osd data = ${directory}/osd
osd objectstore = memstore
osd class load list = *
osd class default list = *
[client.rgw]
ms mon client mode = crc
rgw data = ${directory}/rgw
rgw frontends = beast endpoint=127.0.0.1:${port}
rgw run sync thread = false
rgw enable usage log = false
rgw thread pool size = 32
`
}
