// The sections about who is let in, and where, as the parts take them.

import type { Config, TlsFiles } from './config.ts'
import type { Settings } from './settings.ts'

export function toAuth ({ anonymous, passwordFile, aclFile, operators, viewers, jwt }: Settings['auth']): Config['auth'] {
  return {
    anonymous,
    passwordFile: passwordFile ?? undefined,
    aclFile: aclFile ?? undefined,
    operators,
    viewers,
    jwt: {
      secretFile: jwt.secretFile ?? undefined,
      publicKeyFile: jwt.publicKeyFile ?? undefined,
      jwksFile: jwt.jwksFile ?? undefined,
      issuer: jwt.issuer ?? undefined,
      audience: jwt.audience ?? undefined,
      revokedFile: jwt.revokedFile ?? undefined
    }
  }
}

type Listeners = Pick<Config['mqtt'], 'listen' | 'tls' | 'ws'>

export function toListeners ({ listen, tls, ws }: Settings['mqtt']): Listeners {
  const withTls = (at: TlsFiles['listen'] | null): TlsFiles | undefined => at === null
    ? undefined
    : { listen: at, cert: tls.cert ?? '', key: tls.key ?? '', clientCa: tls.clientCa ?? undefined, crl: tls.crl ?? undefined }
  return { listen, tls: withTls(tls.listen), ws: { listen: ws.listen ?? undefined, tls: withTls(ws.tlsListen) } }
}
