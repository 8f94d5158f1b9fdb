import type { Aedes, Client } from 'aedes'
import { judgeFilter } from './admission.ts'
import { createAedes } from './aedes.ts'
import type { MemoryBudget } from './budget.ts'
import { Census } from './census.ts'
import { followClients } from './clients.ts'
import { Connection } from './connection.ts'
import type { TakeCustody } from './custody.ts'
import type { BrokerEvent, BrokerLevels } from './events.ts'
import { createHooks, type HookRules } from './hooks.ts'
import { Identities, type Access } from './identities.ts'
import { expire, reconsider } from './identify.ts'
import type { BrokerOptions } from './broker-options.ts'
import { defaultLimits, type BrokerLimits } from './limits.ts'
import { checkListeners, Listeners, type Accepted } from './listeners.ts'
import { ImageMemory } from './image-memory.ts'
import { Retained } from './retained.ts'
import { readRevokedSerials } from './revoked-serials.ts'
import { Sessions } from './sessions.ts'
import { SysTopics } from './sys-topics.ts'
import { Tally } from './tally.ts'
import type { TlsKeys } from './tls-listener.ts'
import { createVoice, type Voice } from './voice.ts'

export interface BrokerDeps {
  readonly takeCustody: TakeCustody
  readonly observe: (event: BrokerEvent) => void
  /** Shared with whatever else reads images off a wire. */
  readonly budget: MemoryBudget
}

/** A listening MQTT 3.1.1 broker that answers for images only when custody of them is settled. */
export interface Broker extends Voice {
  readonly host: string
  readonly port: number
  readonly tlsPort: number | undefined
  readonly wsPort: number | undefined
  readonly wssPort: number | undefined
  readonly levels: BrokerLevels
  /** Who there is; the HTTP side asks the same. */
  readonly identities: Identities
  /** From now on these names and rules hold. Ends the sessions that lost something by it, and returns how many. */
  configureAccess (access: Access): number
  /** From now on handshakes are made with these. Ends the sessions of revoked certificates, and returns how many. */
  configureTls (keys: TlsKeys): number
  /**
   * Accepts no more connections, waits for held publishes and sends their PUBACKs, then ends every
   * connection. Takes closeMs and lingerMs at most, and closeMs again where a last will was an image.
   */
  close (): Promise<void>
}

/**
 * Resolves once the port is open. Rejects with AccessError where the listener would be open to whom
 * nobody meant to let in, and with the error of node:net (EADDRINUSE, EACCES) where it cannot be.
 *
 * A takeCustody that rejects is a fault: the image is not acknowledged and the error is thrown
 * uncaught, for the process to end on.
 */
export async function startBroker (deps: BrokerDeps, options: BrokerOptions): Promise<Broker> {
  checkListeners(options)
  const broker = new EmbeddedBroker(deps, options)
  await broker.listen()
  return broker
}

const SLOWED = 'so many wrong passwords came from there that further ones wait (mqtt.limits.guessesPerAddress)'

class EmbeddedBroker implements Broker {
  readonly #deps: BrokerDeps
  readonly #options: BrokerOptions
  readonly #limits: BrokerLimits
  readonly #rules: HookRules
  readonly #sessions: Sessions
  readonly identities: Identities
  readonly #held = new Tally()
  readonly #pubacks = new Tally()
  readonly #sockets = new Tally()
  readonly #memory: ImageMemory
  readonly #connections = new Set<Connection>()
  readonly #byStream = new WeakMap<object, Connection>()
  readonly #connected = new Map<string, Connection>()
  readonly #aedes: Aedes
  readonly #listeners: Listeners
  readonly #retained: Retained
  readonly #census: Census
  readonly #voice: Voice
  #sys: SysTopics | undefined
  #pulse: NodeJS.Timeout | undefined

  constructor (deps: BrokerDeps, options: BrokerOptions) {
    this.#deps = deps
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.#rules = { ...this.#limits, topicPrefix: options.topicPrefix, anonymous: options.anonymous }
    this.#memory = new ImageMemory(deps.budget.bytesMax / 2)
    this.#sessions = new Sessions(this.#limits, (who, limit, detail) => { deps.observe({ kind: 'limit-reached', limit, who, detail }) })
    const hasCertificates = [options.tls, options.ws?.tls].some((at) => at?.keys.clientCa !== undefined)
    this.identities = new Identities(options.access ?? {}, {
      ...this.#rules, hasCertificates, isOpen: options.anonymous === 'always'
    }, (who) => { deps.observe({ kind: 'limit-reached', limit: 'guesses_per_address', who, detail: SLOWED }) })
    this.#retained = new Retained(this.#limits.retainedBytesMax)
    this.#census = new Census({
      connections: this.#connections,
      connected: this.#connected,
      pubacks: this.#pubacks,
      sessions: this.#sessions,
      retained: this.#retained
    })
    this.#aedes = this.#createAedes()
    this.#voice = createVoice(this.#aedes, options.topicPrefix)
    const accept = (accepted: Accepted): void => { this.#accept(accepted) }
    this.#listeners = new Listeners(options, { observe: deps.observe, accept }, { ...options, ...this.#limits })
  }

  get host (): string { return this.#options.listen.host }
  get port (): number { return this.#listeners.portOf('tcp') ?? 0 }

  get tlsPort (): number | undefined { return this.#listeners.portOf('tls') }
  get wsPort (): number | undefined { return this.#listeners.portOf('ws') }
  get wssPort (): number | undefined { return this.#listeners.portOf('wss') }

  get levels (): BrokerLevels { return this.#census.levels }

  async listen (): Promise<void> {
    await this.#aedes.listen()
    this.#sessions.bound(this.#aedes, {
      isGranted: (clientId, filter) => judgeFilter(filter, this.#rules) === undefined &&
        this.#connected.get(clientId)?.permit?.mayRead(filter) === true,
      isKnown: (client) => this.#connectionOf(client).permit !== undefined
    })
    try {
      await this.#listeners.listen()
    } catch (error) {
      this.#aedes.close()
      throw error
    }
    // After the sockets were read, or a busy process would take its own delay for their silence.
    const { sys } = this.#options
    if (sys !== undefined) this.#sys = new SysTopics({ voice: this.#voice, levels: () => this.levels }, sys)
    this.#pulse = setInterval(() => setImmediate(() => this.#checkAll()), this.#limits.pulseMs)
  }

  notify (...note: Parameters<Voice['notify']>): void { this.#voice.notify(...note) }

  announce (...said: Parameters<Voice['announce']>): Promise<void> { return this.#voice.announce(...said) }

  configureAccess (access: Access): number {
    this.identities.configure(access)
    return reconsider(this.#connections, this.identities)
  }

  configureTls (keys: TlsKeys): number {
    this.#listeners.renew(keys)
    this.identities.revoke(readRevokedSerials(keys.crl ?? ''))
    return reconsider(this.#connections, this.identities)
  }

  async close (): Promise<void> {
    const { closeMs, lingerMs } = this.#limits
    this.#listeners.close()
    this.#sys?.close()
    for (const { guard } of this.#connections) guard.stopReading()
    await this.#held.none(closeMs)
    for (const connection of this.#connections) {
      connection.endsFor('shutdown')
      connection.guard.finish()
    }
    await this.#sockets.none(lingerMs)
    await new Promise<void>((resolve) => this.#aedes.close(resolve))
    for (const { guard } of this.#connections) guard.stream.destroy() // those that never became clients
    await this.#held.none(closeMs) // a will may have been an image
    clearInterval(this.#pulse)
  }

  #createAedes (): Aedes {
    const { takeCustody, observe } = this.#deps
    const unrouted = new WeakSet<object>()
    const aedes = createAedes(createHooks({
      connectionOf: (client) => this.#connectionOf(client),
      connected: this.#connected,
      takeCustody,
      memory: this.#memory,
      held: this.#held,
      pubacks: this.#pubacks,
      retained: this.#retained,
      sessions: this.#sessions,
      identities: this.identities,
      unrouted,
      observe
    }, this.#rules), this.#limits, unrouted)
    followClients(aedes, (client) => this.#connectionOf(client), (client) => { this.#admit(client) })
    return aedes
  }

  #accept (accepted: Accepted): void {
    const { packetBytesMax } = this.#options
    const { observe, budget } = this.#deps
    const connection = new Connection({
      ...{ accepted, budget, memory: this.#memory, traffic: this.#census.traffic, observe },
      onClosed: (closed) => this.#forget(closed)
    }, { ...this.#limits, packetBytesMax })
    this.#connections.add(connection)
    this.#census.opened()
    this.#sockets.up()
    this.#byStream.set(connection.guard.stream, connection)
    this.#aedes.handle(connection.guard.stream)
  }

  #admit (client: Client): void {
    const connection = this.#connectionOf(client)
    if (client.closed) return
    this.#connected.set(client.id, connection)
    this.#census.admitted()
    connection.admit(client.id)
  }

  #forget (connection: Connection): void {
    const { clientId } = connection
    this.#connections.delete(connection)
    this.#sockets.down()
    if (clientId === undefined || this.#connected.get(clientId) !== connection) return
    this.#connected.delete(clientId)
  }

  #connectionOf (client: Client): Connection {
    const connection = this.#byStream.get(client.conn)
    if (connection === undefined) throw new Error('a client of Aedes on a connection that was not accepted here')
    return connection
  }

  #checkAll (): void {
    const now = performance.now()
    const today = Date.now()
    for (const connection of this.#connections) {
      connection.guard.check(now)
      expire(connection, today)
    }
  }
}
