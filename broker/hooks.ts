import type { AedesOptions, AuthenticateError, Client, ConnectPacket, PublishPacket } from 'aedes'
import {
  judgeConnect, judgePublish,
  type Anonymous, type ConnectDenial, type PublishVerdict, type TopicRules
} from './admission.ts'
import type { Settle } from './claims.ts'
import type { Connection } from './connection.ts'
import type { Custody, Kept, TakeCustody } from './custody.ts'
import type { BrokerEvent } from './events.ts'
import { deliverAsGranted } from './granted.ts'
import type { Identities } from './identities.ts'
import { identify, judgeName, nameIn, sessionName } from './identify.ts'
import type { BrokerLimits } from './limits.ts'
import type { ImageMemory } from './image-memory.ts'
import { inOwnMemory } from './own-memory.ts'
import type { Retained } from './retained.ts'
import type { Sessions } from './sessions.ts'
import { judgeSubscription } from './subscription.ts'
import type { Tally } from './tally.ts'

// What Aedes asks before it acts. authorizePublish is the only hook that runs before the PUBACK:
// Aedes writes that and then publishes (aedes lib/handlers/publish.js), so neither `published`
// nor a subscriber can hold it back. For QoS 2 it runs before the PUBREC in the same way.

export interface HookDeps {
  readonly connectionOf: (client: Client) => Connection
  /** The connection that has this client id at present. */
  readonly connected: ReadonlyMap<string, Connection>
  readonly takeCustody: TakeCustody
  readonly memory: ImageMemory
  /** Publishes handed over and not yet answered. */
  readonly held: Tally
  /** Of these, those that end in a PUBACK or PUBREC: all but QoS 0 and wills. */
  readonly pubacks: Tally
  readonly retained: Retained
  readonly sessions: Sessions
  readonly identities: Identities
  /** Packets that Aedes acknowledges and that are then neither routed, queued nor retained (aedes.ts). */
  readonly unrouted: WeakSet<object>
  readonly observe: (event: BrokerEvent) => void
}

export type HookRules = TopicRules & BrokerLimits & { readonly anonymous: Anonymous }

type HookName = 'preConnect' | 'authenticate' | 'authorizePublish' | 'authorizeSubscribe' | 'authorizeForward'
type Hooks = Required<Pick<AedesOptions, HookName>>
type Done = (error?: Error | null) => void
type ImageVerdict = Extract<PublishVerdict, { kind: 'image' }>

const nothing = Buffer.alloc(0)

export function createHooks (deps: HookDeps, rules: HookRules): Hooks {
  return {
    preConnect (client, packet, done) {
      const connection = deps.connectionOf(client)
      deliverAsGranted(client, connection.filters)
      preConnect(deps, connection, packet, rules)
      done(null, true)
    },
    authenticate (client, _username, password, done) {
      const connection = deps.connectionOf(client)
      void identify({ connection, identities: deps.identities, password }).then((denied) => {
        if (client.closed) return // Aedes does not wait for an answer either
        const denial = denied ?? deniedBy(deps, client, rules)
        if (denial === undefined) return done(null, true)
        done(Object.assign(new Error(denial.detail), { returnCode: denial.returnCode }) as AuthenticateError, null)
      })
    },
    authorizePublish (client, packet, done) {
      authorizePublish(deps, rules, { client, packet, done })
    },
    authorizeSubscribe (client, subscription, done) {
      const { topic } = subscription
      const connection = deps.connectionOf(client)
      const denied = judgeSubscription(subscription, connection, rules)
      if (denied === undefined) return done(null, subscription)
      const { reason, detail, limit } = denied
      if (limit !== undefined) connection.limited(limit, detail)
      deps.observe({ kind: 'subscription-refused', clientId: client.id, filter: shown(topic), reason, detail })
      done(null, null) // SUBACK 128 for this filter alone [MQTT-3.9.3-2]; an error would close the connection
    },
    // A session that is kept goes on to gather, also after the rules that granted its filters are gone.
    authorizeForward (client, packet) {
      if (packet.topic.startsWith('$SYS/') && !packet.topic.startsWith('$SYS/broker/')) return null // of Aedes, about others
      return deps.connectionOf(client).permit?.mayRead(packet.topic) === true ? packet : null
    }
  }
}

// Refusing here would close the socket without a CONNACK, or with `done(null, false)` leave it
// open for ever (aedes lib/handlers/connect.js, negate). So the verdict is kept for authenticate,
// and Aedes answers a wrong protocol version by itself in between.
function preConnect (deps: HookDeps, connection: Connection, packet: ConnectPacket, rules: HookRules): void {
  const { clientId, clean, protocolVersion } = packet
  const user = nameIn(packet, connection, deps.identities)
  connection.user = user
  connection.guard.expectLife(packet.keepalive ?? 0)
  packet.keepalive = 0 // Aedes counts whole packets as life, and would cut an upload slower than that
  const denial = judgeConnect({
    clientId,
    clean: clean ?? true,
    protocolVersion: protocolVersion ?? 4,
    remote: connection.remote,
    isNamed: user !== undefined
  }, rules) ?? judgeName(packet, connection, deps.identities)
  packet.clientId = sessionName(clientId, user)
  if (denial === undefined) return
  connection.denial = denial
  connection.refuse(denial.result, denial.detail)
}

function deniedBy (deps: HookDeps, client: Client, rules: HookRules): ConnectDenial | undefined {
  const { connected, sessions } = deps
  const isKept = !client.clean && sessions.isKept(client.id)
  const connection = deps.connectionOf(client)
  const limit = sessions.open(client.id, client.clean, connection.user)
  if (limit !== undefined) {
    const detail = `${client.id} asks for a session to be kept; ` +
      (limit === 'sessions' ? `${rules.sessionsMax} are` : `${rules.sessionsPerUserMax} of ${connection.user} are`)
    connection.limited(limit, detail)
    connection.refuse('over_limit', detail)
    return { result: 'over_limit', returnCode: 3, detail }
  }
  if (isKept) connection.guard.strict.resumesSession()
  connected.get(client.id)?.endsFor('takeover') // Aedes closes it when it registers this one [MQTT-3.1.4-2]
  return undefined
}

interface Asked {
  readonly client: Client | null
  readonly packet: PublishPacket
  readonly done: Done
}

function authorizePublish (deps: HookDeps, rules: HookRules, asked: Asked): void {
  const { client, packet, done } = asked
  const connection = client === null ? undefined : deps.connectionOf(client)
  const isWill = packet.cmd === undefined // a will comes from CONNECT, not off the wire as a packet
  const settle = isWill ? noSettle : connection?.guard.claim()
  if (settle === undefined) return done(new Error('the connection is gone'))
  if (!isWill) deps.observe({ kind: 'publish-received', qos: packet.qos })
  const verdict = judge(deps, rules, packet, connection)
  switch (verdict.kind) {
    case 'image':
      deps.unrouted.add(packet)
      void takeImage(deps, asked, { verdict, settle, isWill, connection })
      return
    case 'ordinary':
      settle()
      return done(null)
    case 'refused':
      deps.unrouted.add(packet)
      if (verdict.limit !== undefined) connection?.limited(verdict.limit, verdict.detail)
      deps.observe({
        kind: 'topic-refused', clientId: client?.id ?? '', topic: shown(packet.topic), reason: verdict.reason ?? 'bad_topic', detail: verdict.detail
      })
      settle()
      return done(null) // acknowledged and dropped: a closed connection would send it again for ever
  }
}

const foreign: PublishVerdict = {
  kind: 'refused',
  reason: 'not_authorized',
  detail: 'not among what this client may publish: a device publishes below its own topic, and what auth.aclFile grants'
}

function judge (
  { retained }: HookDeps, rules: HookRules, packet: PublishPacket, connection: Connection | undefined
): PublishVerdict {
  const { topic, payload, retain } = packet
  const verdict = judgePublish(topic, payload.length, rules)
  // Without a connection it is the will of a client that was admitted by another broker.
  if (verdict.kind !== 'refused' && connection !== undefined && connection.permit?.mayPublish(topic) !== true) return foreign
  if (verdict.kind !== 'ordinary' || !retain) return verdict
  if (retained.keep(topic, payload.length)) {
    packet.payload = inOwnMemory(payload as Buffer) // the parser makes no strings of payloads
    return verdict
  }
  const detail = `no room to retain it: ${retained.bytes} of the ${rules.retainedBytesMax} bytes of mqtt.limits.retainedBytes are taken`
  return { kind: 'refused', reason: 'no_room', limit: 'retained_bytes', detail }
}

interface Taking {
  readonly verdict: ImageVerdict
  readonly settle: Settle
  readonly isWill: boolean
  readonly connection: Connection | undefined
}

/** Answers exactly once, when somebody else has the image or nobody will. */
async function takeImage (deps: HookDeps, { client, packet, done }: Asked, taking: Taking): Promise<void> {
  const { verdict: { deviceId, imageId }, settle, isWill, connection } = taking
  const { topic, qos } = packet
  const isAcknowledged = qos > 0 && !isWill
  const payload = packet.payload as Buffer // the parser makes no strings of payloads
  packet.payload = nothing // Aedes keeps QoS 2 packets and wills; the image is no longer its business
  const startedAt = performance.now()
  deps.held.up()
  if (isAcknowledged) deps.pubacks.up()
  const custody = await deps.takeCustody({ deviceId, imageId, topic, payload }).catch(surface)
  // What is stored, or was already, is read by nobody any more; a refused one is kept as a sample.
  if (custody.kind === 'taken' || custody.kind === 'duplicate') deps.memory.giveBack(payload)
  settle()
  const error = isWill ? undefined : whyNot(custody, client) // of a will, nobody is left to send it again
  if (error !== undefined) connection?.endsFor('refused', error.message)
  done(error ?? null)
  if (isAcknowledged) deps.pubacks.down()
  deps.held.down()
  if (error !== undefined || !isAcknowledged) return
  const seconds = (performance.now() - startedAt) / 1000
  deps.observe({ kind: 'publish-acknowledged', seconds, entry: keptAs(custody), clientId: client?.id ?? '' })
}

function keptAs (custody: Custody): Kept | undefined {
  switch (custody.kind) {
    case 'taken': return custody.entry
    case 'duplicate': return custody.held?.entry
    case 'refused':
    case 'withheld': return undefined
  }
}

// A fault: nobody knows who has the image, so the device keeps it, and the error is left uncaught
// for main to end the process on.
function surface (cause: unknown): Custody {
  queueMicrotask(() => { throw cause })
  return { kind: 'withheld', reason: 'fault' }
}

/** An error closes the connection with no PUBACK, so that the device sends the image again. */
function whyNot (custody: Custody, client: Client | null): Error | undefined {
  switch (custody.kind) {
    case 'taken':
    case 'duplicate':
    case 'refused':
      // Aedes would go on and keep a QoS 2 packet for a session that has ended.
      return client === null || client.closed ? new Error('the connection is gone') : undefined
    case 'withheld':
      return new Error(`custody withheld: ${custody.reason}`)
  }
}

function shown (topic: string): string {
  return topic.length > 200 ? `${topic.slice(0, 200)}...` : topic
}

function noSettle (): void {}
