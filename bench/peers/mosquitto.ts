import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../child.ts'
import { ask, freePort, listens, peerOf, type PeerKind } from './peer.ts'

/** It keeps nothing: the limit of the wire on this machine. */
export const MOSQUITTO: PeerKind = {
  name: 'mosquitto, in memory',
  packages: 'mosquitto',
  version: mosquittoVersion,
  async start (directory) {
    const { child, port } = await startMosquitto(directory)
    return peerOf([child], { port })
  }
}

export function mosquittoVersion (): string | undefined {
  return ask('mosquitto', '-h')
}

export async function startMosquitto (
  directory: string, settings: readonly string[] = []
): Promise<{ child: Child, port: number }> {
  const port = await freePort()
  const file = join(directory, 'mosquitto.conf')
  writeFileSync(file, [`listener ${port} 127.0.0.1`, 'allow_anonymous true', ...settings, ''].join('\n'))
  const child = new Child('mosquitto', ['-c', file])
  await listens(port)
  return { child, port }
}
