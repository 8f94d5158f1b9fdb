// The serial numbers in a certificate revocation list (RFC 5280, section 5.1), which OpenSSL has read already and
// applies to handshakes; here it is read for the connections that are there:
//
//   CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature }
//   tbsCertList     ::= SEQUENCE { version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0]? }
//   revokedCertificates ::= SEQUENCE OF SEQUENCE { serialNumber INTEGER, revocationDate, extensions? }

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

/** In hex, as `formatSerial` has them. Of several lists in one file, of all. */
export function readRevokedSerials (pem: string): ReadonlySet<string> {
  const lists = pem.matchAll(/-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/g)
  return new Set([...lists].flatMap(([, base64 = '']) => serialsOf(Buffer.from(base64, 'base64'))))
}

/** As node:tls has it in a certificate, or the bytes of an INTEGER in hex; without the zeros in front. */
export function formatSerial (hex: string): string {
  return hex.replace(/^0+/, '').toUpperCase()
}

function serialsOf (list: Buffer): string[] {
  const [tbs] = childrenOf(childrenOf(list)[0]?.content)
  const fields = childrenOf(tbs?.content)
  const thisUpdate = fields.findIndex(({ tag }) => tag === UTC_TIME || tag === GENERALIZED_TIME)
  const revoked = fields.slice(thisUpdate).find(({ tag }) => tag === SEQUENCE)
  return childrenOf(revoked?.content).flatMap(({ content }) => {
    const [serial] = childrenOf(content)
    return serial?.tag === INTEGER ? [formatSerial(serial.content.toString('hex'))] : []
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
