import { basename, join } from 'node:path'
import { NO_STORE, startService } from '../subject.ts'
import { ask, peerOf, type Peer, type PeerKind } from './peer.ts'

export const SLUICE: PeerKind = {
  name: 'Sluice',
  packages: '',
  version: () => revisionOf('.'),
  start: (directory, endpoint) => startSluice(directory, { endpoint })
}

/** As it is in another checkout, built. */
export function sluiceIn (checkout: string): PeerKind {
  return {
    name: `Sluice in ${basename(checkout)}`,
    packages: '',
    version: () => revisionOf(checkout),
    start: (directory, endpoint) => startSluice(directory, { endpoint, checkout })
  }
}

interface SluiceOptions {
  readonly endpoint?: string | undefined
  readonly checkout?: string
  readonly env?: Readonly<Record<string, string>>
}

export async function startSluice (
  directory: string, { endpoint, checkout, env = {} }: SluiceOptions
): Promise<Peer> {
  const store = endpoint === undefined ? {} : { SLUICE_S3_ENDPOINT: endpoint, SLUICE_UPLINK_CAPACITY: 'unlimited' }
  const settings = { ...NO_STORE, ...store, SLUICE_SPOOL_LIMIT: '60GB', ...env }
  const { child, mqttPort } = await startService(join(directory, 'data'), settings, checkout)
  return peerOf([child], { port: mqttPort })
}

function revisionOf (checkout: string): string {
  return ask('git', '-C', checkout, 'describe', '--always', '--dirty') ?? 'unknown'
}
