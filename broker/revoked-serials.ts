// The serial numbers in a certificate revocation list (RFC 5280, section 5.1), which OpenSSL has read already and
// applies to handshakes; here it is read for the connections that are there:
//
//   CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature }
//   tbsCertList     ::= SEQUENCE { version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0]? }
//   revokedCertificates ::= SEQUENCE OF SEQUENCE { serialNumber INTEGER, revocationDate, extensions? }
//
// and in a certificate (section 4.1) what it is looked up by. A serial number means something with its issuer alone; an
// authority writes its name into its lists as it does into what it signs, byte for byte (section 4.1.2.6).
//
//   Certificate    ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }
//   tbsCertificate ::= SEQUENCE { [0]?, serialNumber INTEGER, signature, issuer, validity, ... }

import { createHash } from 'node:crypto'

const [INTEGER, SEQUENCE, UTC_TIME, GENERALIZED_TIME] = [0x02, 0x30, 0x17, 0x18]

interface Value {
  readonly tag: number
  readonly content: Buffer
}

const BEGIN = '-----BEGIN X509 CRL-----'

/** Each list by itself: of one text with several Node reads the first alone (node:tls, createSecureContext, "crl"). */
export function splitLists (pem: string): string[] {
  return pem.split(BEGIN).slice(1).map((list) => BEGIN + list)
}

/** As `readSerial` has them. Of several lists in one file, of all. */
export function readRevokedSerials (pem: string): ReadonlySet<string> {
  const lists = pem.matchAll(/-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g)
  return new Set([...lists].flatMap(([, base64 = '']) => serialsOf(Buffer.from(base64, 'base64'))))
}

/** The issuer of a certificate, in DER, and its serial number. */
export function readSerial (certificate: Buffer): string {
  const fields = fieldsOf(certificate)
  const serial = fields.findIndex(({ tag }) => tag === INTEGER)
  return formatSerial(digestOf(fields[serial + 2]), fields[serial]?.content)
}

function formatSerial (issuer: string, serial: Buffer = Buffer.alloc(0)): string {
  return `${issuer} ${serial.toString('hex').replace(/^0+/, '')}`
}

/** Names have any length, and a list may have a hundred thousand entries. */
function digestOf (name: Value | undefined): string {
  return createHash('sha256').update(name?.content ?? '').digest('base64')
}

/** What is signed, field by field. */
function fieldsOf (signed: Buffer): Value[] {
  const [tbs] = childrenOf(childrenOf(signed)[0]?.content)
  return childrenOf(tbs?.content)
}

function serialsOf (list: Buffer): string[] {
  const fields = fieldsOf(list)
  const thisUpdate = fields.findIndex(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME)
  const issuer = digestOf(fields[thisUpdate - 1])
  const revoked = fields.slice(thisUpdate).find(({ tag }) => tag === SEQUENCE)
  return childrenOf(revoked?.content).flatMap(({ content }) => {
    const [serial] = childrenOf(content)
    return serial?.tag === INTEGER ? [formatSerial(issuer, serial.content)] : []
  })
}

/** DER: tag, length, content, one after the other. A length of 128 and more stands in the bytes behind its first. */
function childrenOf (bytes: Buffer = Buffer.alloc(0)): Value[] {
  const values: Value[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const short = bytes.readUInt8(at + 1)
    const more = short < 0x80 ? 0 : Math.min(6, short & 0x7f)
    const begin = at + 2 + more
    if (begin > bytes.length) break
    const length = more === 0 ? short & 0x7f : bytes.readUIntBE(at + 2, more)
    values.push({ tag: bytes.readUInt8(at), content: bytes.subarray(begin, begin + length) })
    at = begin + length
  }
  return values
}
