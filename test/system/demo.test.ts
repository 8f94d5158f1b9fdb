import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSluice } from '../helpers/sluice.ts'

test('the demo shows an outage, loses nothing and says so', async (t) => {
  const { code, stdout, stderr } = await runSluice(t, ['demo'])
  assert.equal(code, 0, stderr)
  assert.match(stdout, /UPLINK DOWN/)
  assert.match(stdout, /^ledger .* acknowledged = .* uploaded: nothing was lost$/m)
})
