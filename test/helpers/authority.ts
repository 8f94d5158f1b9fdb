import { execFileSync } from 'node:child_process'
import { appendFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** PEM. */
export interface Pair { readonly cert: string, readonly key: string }

/** An authority in a directory of its own, and what it signs. */
export class Authority {
  readonly directory: string
  constructor (directory: string, name = 'site authority') {
    this.directory = directory
    this.#openssl('req', '-x509', '-subj', `/CN=${name}`, ...this.#fresh('ca'), '-days', '2')
  }

  get root (): Promise<string> { return readFile(join(this.directory, 'ca.crt'), 'utf8') }

  /** `serial`: `01` and the like; without it a random one. */
  async sign (subject: string, altName = 'IP:127.0.0.1', serial?: string): Promise<Pair> {
    await writeFile(join(this.directory, 'ext'), `subjectAltName=${altName}\n`)
    this.#openssl('req', '-subj', subject, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
      '-keyout', 'one.key', '-out', 'one.csr')
    this.#openssl('x509', '-req', '-in', 'one.csr', '-CA', 'ca.crt', '-CAkey', 'ca.key', '-days', '2',
      ...serial === undefined ? ['-CAcreateserial'] : ['-set_serial', `0x${serial}`], '-extfile', 'ext', '-out', 'one.crt')
    const [cert, key] = await Promise.all(['one.crt', 'one.key'].map((name) => readFile(join(this.directory, name), 'utf8')))
    return { cert: cert ?? '', key: key ?? '' }
  }

  /** The list with what was revoked so far and these. */
  async revoke (...certificates: readonly string[]): Promise<string> {
    const config = '[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=2\ncrlnumber=number\n'
    await writeFile(join(this.directory, 'ca.cnf'), config)
    await appendFile(join(this.directory, 'index'), '')
    await writeFile(join(this.directory, 'number'), '01\n')
    const authority = ['-config', 'ca.cnf', '-cert', 'ca.crt', '-keyfile', 'ca.key']
    for (const certificate of certificates) {
      await writeFile(join(this.directory, 'revoked.crt'), certificate)
      this.#openssl('ca', ...authority, '-revoke', 'revoked.crt')
    }
    this.#openssl('ca', ...authority, '-gencrl', '-out', 'ca.crl')
    return await readFile(join(this.directory, 'ca.crl'), 'utf8')
  }

  #fresh (name: string): string[] {
    return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`, '-out', `${name}.crt`]
  }

  #openssl (...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.directory, stdio: 'ignore' })
  }
}
