import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connectChecks } from './checks-connect.ts'
import { deliveryChecks } from './checks-delivery.ts'
import { formatChecks } from './checks-format.ts'
import { publishChecks } from './checks-publish.ts'
import { sessionChecks } from './checks-session.ts'
import { subscribeChecks } from './checks-subscribe.ts'
import type { Checks } from './checks.ts'
import type { Site } from './site.ts'
import { statements, type Statement } from './statements.ts'
import { webSocketChecks } from './websocket.ts'

const groups: readonly Checks[] = [
  formatChecks, connectChecks, publishChecks, subscribeChecks, sessionChecks, deliveryChecks, webSocketChecks
]
export const checks: Checks = Object.assign({}, ...groups)

/** A test for each statement that a server keeps, all at once against one broker. */
export function conformsOver (name: string, open: (t: TestContext) => Promise<Site | undefined>): void {
  test(`the server of MQTT 3.1.1 over ${name}`, { concurrency: 200, timeout: 60_000 }, async (t) => {
    const site = await open(t)
    if (site === undefined) {
      t.skip('openssl is not here to make a certificate')
      return
    }
    await Promise.all(statements.filter((one) => isHeld(one) && (one.kind !== 'websocket' || name === 'WebSocket')).map(({ clause, says }) =>
      t.test(`over ${name} [MQTT-${clause}] ${says}`, async () => {
        const check = checks[clause]
        assert.ok(check !== undefined, 'there is no check of it')
        await check(site)
      })))
  })
}

export function isHeld ({ kind }: Statement): boolean {
  return kind !== 'foreign'
}
