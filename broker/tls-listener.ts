import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { BrokerEvent } from './events.ts'
import { guardedTcp } from './guarded-tcp.ts'
import { parseUsername } from './passwords.ts'
import { readSerial, splitLists } from './revoked-serials.ts'

/** PEM. */
export interface TlsKeys {
  readonly cert: string
  readonly key: string
  /** Each client needs a certificate that this one signed. */
  readonly clientCa?: string | undefined
  /** Certificate revocation lists, one of each authority up to the root. */
  readonly crl?: string | undefined
}

/** What a client's certificate says. */
export interface Certificate {
  readonly user: string
  /** As readSerial has it. */
  readonly serial: string
}

export interface TlsDeps {
  readonly observe: (event: BrokerEvent) => void
  /** A connection that may speak, with its certificate. */
  readonly accept: (socket: TLSSocket, certificate: Certificate | undefined) => void
}

/**
 * TLS 1.2 or 1.3 before the guard; whoever has no certificate where one is asked for is cut off and told of. It does
 * not listen: it is given connections.
 */
export function createTlsServer (keys: TlsKeys, { observe, accept }: TlsDeps): Server {
  const server = createServer({ ...guardedTcp, ...tlsOptions(keys) }, (socket) => {
    if (keys.clientCa === undefined) return accept(socket, undefined)
    const peer = peerOf(socket)
    if ('user' in peer) return accept(socket, peer)
    const remote = socket.remoteAddress ?? ''
    observe({ kind: 'connect-refused', result: 'bad_credentials', remote, detail: `its certificate ${peer.why}` })
    socket.destroy()
  })
  server.on('tlsClientError', (error, socket) => {
    const { remoteAddress: remote } = socket
    if (remote === undefined) return // it hung up, or was late and was told of
    observe({ kind: 'connect-refused', result: 'unsupported_protocol', remote, detail: `no TLS: ${error.message.trim()}` })
    socket.destroy()
  })
  return server
}

export function tlsOptions (keys: TlsKeys) {
  return {
    ...contextOf(keys),
    requestCert: keys.clientCa !== undefined,
    rejectUnauthorized: false // Node would cut the connection without a word to anybody
  }
}

/** Who has the certificate, or why that is nobody: a predicate. */
export function peerOf (socket: TLSSocket): Certificate | { readonly why: string } {
  const user = socket.authorized ? nameIn(socket) : undefined
  if (user !== undefined) return { user, serial: readSerial(socket.getPeerCertificate().raw) }
  return { why: socket.authorized ? 'has no common name or DNS name that a user may have' : explain(socket) }
}

/** For the handshakes to come; connections that are there go on. Whether certificates are asked for stays as it was. */
export function renew (server: Server, keys: TlsKeys): void {
  server.setSecureContext(contextOf(keys))
}

function contextOf ({ cert, key, clientCa, crl }: TlsKeys) {
  const client = {
    ...clientCa === undefined ? {} : { ca: clientCa },
    ...crl === undefined ? {} : { crl: splitLists(crl) }
  }
  return { cert, key, ...client, minVersion: 'TLSv1.2' } as const
}

function explain ({ authorizationError }: TLSSocket): string {
  const code = String(authorizationError)
  if (code === 'CERT_REVOKED') return 'was revoked (mqtt.tls.crl)'
  if (code.includes('CRL')) return `cannot be looked up in mqtt.tls.crl (${code}); it needs a list of each authority, in force`
  return `is missing or not signed by mqtt.tls.clientCa (${code})`
}

/** The common name, else the first DNS name. */
function nameIn (socket: TLSSocket): string | undefined {
  const { subject, subjectaltname = '' } = socket.getPeerCertificate()
  const [dns] = subjectaltname.split(', ').filter((name) => name.startsWith('DNS:'))
  const common: unknown = subject?.CN // a list where a certificate has two
  return parseUsername(typeof common === 'string' ? common : '') ?? parseUsername(dns?.slice('DNS:'.length) ?? '')
}
