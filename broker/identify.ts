import type { ConnectPacket } from 'aedes'
import type { ConnectDenial } from './admission.ts'
import type { Connection } from './connection.ts'
import type { Identities, Identity } from './identities.ts'

/** Who a client says it is, by its certificate or else by its CONNECT; undefined where nothing says so. */
export function nameIn (
  packet: ConnectPacket, { certificate }: Connection, identities: Identities
): string | undefined {
  return certificate?.user ?? (identities.haveUsers ? packet.username ?? undefined : undefined)
}

/**
 * The client id within the name of its user, so that no client takes over the session of another.
 * No name has a colon in it, and so no two sessions have one id.
 */
export function sessionName (clientId: string, username: string | undefined): string {
  return username === undefined || clientId === '' ? clientId : `${username}:${clientId}`
}

/** A client without a name must not name a session as a user's is named, and one has one name. */
export function judgeName (
  { clientId, username }: ConnectPacket, { user, certificate }: Connection, identities: Identities
): ConnectDenial | undefined {
  const certified = certificate?.user
  if (certified !== undefined && username !== undefined && username !== null && username !== certified) {
    const detail = `its certificate is of ${certified}, and its CONNECT has another user name`
    return { result: 'bad_credentials', returnCode: 4, detail }
  }
  if (!identities.areThere || user !== undefined || !clientId.includes(':')) return undefined
  return { result: 'bad_client_id', returnCode: 2, detail: 'a client id with a colon in it, without a user name' }
}

export interface Identifying {
  readonly identities: Identities
  readonly connection: Connection
  readonly password: Buffer | null | undefined
}

/** Gives the connection its permit, or says why not. Undefined: it may go on. */
export async function identify (
  { identities, connection, password }: Identifying
): Promise<ConnectDenial | undefined> {
  const { user: username, denial } = connection
  if (denial !== undefined) return denial
  if (username === undefined) {
    connection.permit = identities.nameless
    return undefined
  }
  const { certificate } = connection
  if (username === certificate?.user) {
    const proof = { kind: 'certificate', serial: certificate.serial } as const
    const identity: Identity = { username, claimed: undefined, expiresAt: undefined, proof }
    // The list may have been read again since the handshake.
    if (identities.isStillGood(identity)) return know(connection, identities, identity)
    const detail = 'its certificate was revoked (mqtt.tls.crl)'
    return refuse(connection, { result: 'bad_credentials', returnCode: 4, detail })
  }
  const isGone = (): boolean => connection.guard.stream.destroyed
  const credentials = { username, password: password ?? undefined, address: connection.remote, isGone }
  const verdict = await identities.verify(credentials)
  switch (verdict.kind) {
    case 'known':
      return know(connection, identities, verdict.identity)
    case 'wrong':
      return refuse(connection, { result: 'bad_credentials', returnCode: 4, detail: verdict.detail })
    case 'crowded':
      return refuse(connection, { result: 'over_limit', returnCode: 3, detail: verdict.detail })
  }
}

function know (connection: Connection, identities: Identities, identity: Identity): undefined {
  connection.identity = identity
  connection.permit = identities.permitOf(identity)
}

function refuse (connection: Connection, denial: ConnectDenial): ConnectDenial {
  connection.refuse(denial.result, denial.detail)
  return denial
}

/**
 * After the files were read again: ends the sessions of names whose password is another one, whose token counts no
 * more or that are gone, and those that are subscribed to what they may not read any more. Returns how many.
 */
export function reconsider (connections: Iterable<Connection>, identities: Identities): number {
  let ended = 0
  for (const connection of connections) {
    const { user, identity } = connection
    if (connection.permit === undefined) continue // it gets what holds by then
    const permit = identity === undefined ? identities.nameless : identities.permitOf(identity)
    const isUnknown = identity !== undefined && !identities.isStillGood(identity)
    const isDenied = [...connection.filters].some((filter) => !permit.mayRead(filter))
    connection.permit = permit
    if (!isUnknown && !isDenied) continue
    connection.endsFor('operator', isUnknown
      ? `the password of ${user} was changed or removed, or its token or certificate was revoked`
      : `${user ?? 'a client without a name'} may not read any more what it is subscribed to`)
    connection.guard.stream.destroy()
    ended++
  }
  return ended
}

/** Ends the session where the token that it was admitted with has expired. */
export function expire (connection: Connection, now: number): void {
  const { expiresAt } = connection.identity ?? {}
  if (expiresAt === undefined || expiresAt > now || connection.guard.stream.destroyed) return
  connection.endsFor('expired', `the token of ${connection.user} has expired`)
  connection.guard.stream.destroy()
}
