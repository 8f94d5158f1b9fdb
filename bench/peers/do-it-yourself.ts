import { Child } from '../child.ts'
import { mosquittoVersion, startMosquitto } from './mosquitto.ts'
import { ask, peerOf, type PeerKind } from './peer.ts'

/** The pipeline people write themselves: a broker, a subscriber, eight threads that put. It keeps nothing on disk. */
export const DO_IT_YOURSELF: PeerKind = {
  name: 'mosquitto, paho, boto3',
  packages: 'mosquitto python3-paho-mqtt python3-boto3',
  version () {
    const [mosquitto, python] = [mosquittoVersion(), findPython()]
    return mosquitto === undefined || python === undefined ? undefined : `${mosquitto}, ${python.versions}`
  },
  async start (directory, endpoint = 'http://127.0.0.1:1') {
    const { child: broker, port } = await startMosquitto(directory, ['max_queued_messages 0', 'max_inflight_messages 1000'])
    const python = findPython()?.command ?? 'python3'
    const subscriber = new Child(python, ['bench/peers/subscriber.py', String(port), endpoint])
    await subscriber.prints(/subscribed/)
    return peerOf([subscriber, broker], { port })
  }
}

const VERSIONS = 'import boto3, paho.mqtt as m; print(f"paho {m.__version__}, boto3 {boto3.__version__}")'

/** The first in the PATH is not always the one that Debian's packages are for. */
function findPython (): { command: string, versions: string } | undefined {
  for (const command of ['python3', '/usr/bin/python3']) {
    const versions = ask(command, '-c', VERSIONS)
    if (versions !== undefined) return { command, versions }
  }
  return undefined
}
