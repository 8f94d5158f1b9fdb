import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Child, readCpuSeconds, readMemory } from './child.ts'
import { NO_STORE, startService } from './subject.ts'

/** A broker under test, listening. */
export interface Peer {
  readonly port: number
  /** Of the load: where an image goes, and as whom. */
  readonly topic: string
  readonly login: readonly string[]
  cpuSeconds (): number
  peakBytes (): number
  stop (): Promise<void>
}

export interface PeerKind {
  readonly name: string
  isInstalled (): boolean
  start (directory: string): Promise<Peer>
}

const RABBITMQ = '/usr/lib/rabbitmq/bin/rabbitmq-server'

const SLUICE: PeerKind = { name: 'Sluice', isInstalled: () => true, start: (directory) => startSluice(directory) }

/** Each begins with what is measured, and goes on with what its ratio is taken against. */
export const PEERS: readonly PeerKind[] = [
  SLUICE,
  { name: 'RabbitMQ, durable queue', isInstalled: () => has(RABBITMQ) && has('mosquitto_sub'), start: startRabbit },
  { name: 'mosquitto, in memory', isInstalled: () => has('mosquitto'), start: startMosquitto }
]

/** Sluice as it is here, and as it is in another checkout, built. */
export function peersAgainst (checkout: string): readonly PeerKind[] {
  const start = (directory: string): Promise<Peer> => startSluice(directory, checkout)
  return [SLUICE, { name: `Sluice in ${basename(checkout)}`, isInstalled: () => true, start }]
}

async function startSluice (directory: string, checkout?: string): Promise<Peer> {
  const env = { ...NO_STORE, SLUICE_SPOOL_LIMIT: '60GB' }
  const { child, mqttPort } = await startService(join(directory, 'data'), env, checkout)
  return peer(child, mqttPort, 'devices/%d/images/%n')
}

async function startMosquitto (directory: string): Promise<Peer> {
  const port = await freePort()
  const file = join(directory, 'mosquitto.conf')
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\n`)
  const child = new Child('mosquitto', ['-c', file])
  await listens(port)
  return peer(child, port, 'devices/%d/images/%n')
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
  const child = new Child(RABBITMQ, [], {
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
  return peer(child, port, 'devices/%d/images', ['guest', 'guest'])
}

/** Costs are those of the process and of all it started. */
function peer (child: Child, port: number, topic: string, login: readonly string[] = []): Peer {
  const pids = (): number[] => descendants(child.process.pid ?? 0)
  return {
    port,
    topic,
    login,
    cpuSeconds: () => pids().reduce((sum, pid) => sum + readCpuSeconds(pid), 0),
    peakBytes: () => Math.max(...pids().map((pid) => readMemory(pid).peak)),
    async stop () {
      const others = pids().slice(1)
      await child.stop()
      for (const pid of others) try { process.kill(pid) } catch { /* it has ended with its parent */ }
    }
  }
}

function descendants (pid: number): number[] {
  try {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)]).toString().trim().split(/\s+/).map(Number)
    return [pid, ...children.flatMap(descendants)]
  } catch {
    return [pid] // ps exits with 1 where there are none
  }
}

async function listens (port: number, timeoutMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(100)) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true, () => false), delay(1000, false)])
    socket.destroy()
    if (isOpen) return
  }
  throw new Error(`nobody listens on port ${port}`)
}

async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  server.close()
  await once(server, 'close')
  return port
}

function has (command: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
