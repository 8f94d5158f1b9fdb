import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface Certificate {
  /** PEM; self-signed, so that it is its own authority. */
  readonly cert: Buffer
  readonly key: Buffer
  readonly certFile: string
}

/** For 127.0.0.1, good for a day, made by the openssl command; undefined where there is none. */
export async function makeCertificate (dir: string): Promise<Certificate | undefined> {
  const [certFile, keyFile] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  const isMade = await promisify(execFile)('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-nodes', '-days', '1', '-subj', '/CN=test', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', keyFile, '-out', certFile])
    .then(() => true, (cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw cause
    })
  return isMade ? { cert: await readFile(certFile), key: await readFile(keyFile), certFile } : undefined
}
