import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Certificate } from '../helpers/certificate.ts'
import { startTestBroker, type TestBroker } from '../helpers/mqtt.ts'
import { connect, type Connect } from './packets.ts'
import { Peer } from './peer.ts'

/** A way to the broker. */
export interface Transport {
  readonly name: string
  readonly open: (broker: TestBroker) => Promise<Duplex>
}

/** The broker of one transport; all checks use it at once, each under names of its own. */
export class Site {
  readonly broker: TestBroker
  readonly #transport: Transport
  #names = 0

  constructor (broker: TestBroker, transport: Transport) {
    this.broker = broker
    this.#transport = transport
  }

  /** A client id or a level of a topic that nobody else has. */
  name (): string { return `n${++this.#names}` }

  async open (): Promise<Peer> {
    return new Peer(await this.#transport.open(this.broker))
  }

  /** A client that is admitted, to a new session unless told otherwise. */
  async admitted (options: Connect = {}, isPresent = false): Promise<Peer> {
    const peer = await this.open()
    return await peer.send(connect({ id: this.name(), ...options })).admitted(isPresent)
  }

  /** Two clients, the second subscribed. */
  async pair (filter: string, qos = 0): Promise<[writer: Peer, reader: Peer]> {
    const [writer, reader] = await Promise.all([this.admitted(), this.admitted()])
    await reader.subscribes({ [filter]: qos })
    return [writer, reader]
  }
}

export const tcp: Transport = {
  name: 'TCP',
  open: async ({ port }) => {
    const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return socket
  }
}

export const tls = ({ cert }: Certificate): Transport => ({
  name: 'TLS',
  open: async ({ broker }) => {
    const socket = connectTls({ port: broker.tlsPort ?? 0, host: '127.0.0.1', ca: cert })
    await once(socket, 'secureConnect')
    return socket
  }
})

export async function startSite (t: TestContext, transport: Transport, certificate?: Certificate): Promise<Site> {
  const keys = certificate === undefined ? {} : { tls: { listen: { host: '127.0.0.1', port: 0 }, keys: { cert: String(certificate.cert), key: String(certificate.key) } } }
  const broker = await startTestBroker(t, {
    ws: { listen: { host: '127.0.0.1', port: 0 }, tls: undefined },
    ...keys,
    takeCustody: async ({ deviceId }) => deviceId === 'full' ? { kind: 'withheld', reason: 'spool_full' } : { kind: 'taken' }
  })
  return new Site(broker, transport)
}
