import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child } from '../child.ts'
import { ask, freePort, has, listens, peerOf, type Peer, type PeerKind } from './peer.ts'

const BIN = '/usr/lib/rabbitmq/bin'

/** The peer that does the same work: its PUBACK comes once the image is in a durable queue. */
export const RABBITMQ: PeerKind = {
  name: 'RabbitMQ, durable queue',
  packages: 'rabbitmq-server mosquitto-clients',
  version () {
    const version = has(`${BIN}/rabbitmq-server`) && has('mosquitto_sub') ? ask(`${BIN}/rabbitmqctl`, 'version') : undefined
    return version === undefined ? undefined : `RabbitMQ ${version}`
  },
  start: startRabbit
}

/** Its MQTT plugin with one durable queue bound to every device, as a subscriber with a session makes it. */
async function startRabbit (directory: string): Promise<Peer> {
  const [port, amqpPort] = [await freePort(), await freePort()]
  const conf = join(directory, 'rabbitmq.conf')
  writeFileSync(conf, [
    `listeners.tcp.1 = 127.0.0.1:${amqpPort}`, `mqtt.listeners.tcp.1 = 127.0.0.1:${port}`, 'mqtt.allow_anonymous = true',
    'mqtt.default_user = guest', 'mqtt.default_pass = guest', ''
  ].join('\n'))
  const plugins = join(directory, 'enabled_plugins')
  writeFileSync(plugins, '[rabbitmq_mqtt].\n')
  const child = new Child(`${BIN}/rabbitmq-server`, [], {
    RABBITMQ_CONFIG_FILE: conf,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_NODENAME: `bench${process.pid}@localhost`
  })
  await listens(port, 60_000)
  await delay(2000)
  const login = ['-u', 'guest', '-P', 'guest']
  const subscriber = new Child('mosquitto_sub', ['-p', String(port), ...login, '-t', 'devices/#', '-q', '1', '-i', 'bench', '-c'])
  await delay(2000)
  await subscriber.stop()
  return peerOf([child], { port, topic: 'devices/%d/images', login: ['guest', 'guest'] })
}
