import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificate } from '../helpers/certificate.ts'
import { conformsOver } from './conform.ts'
import { startSite, tls } from './site.ts'

conformsOver('TLS', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-'))
  t.after(() => rm(dir, { recursive: true }))
  const certificate = await makeCertificate(dir)
  return certificate === undefined ? undefined : await startSite(t, tls(certificate), certificate)
})
