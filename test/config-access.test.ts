import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../bridge/config/read-config.ts'
import { ConfigError, formatProblem } from '../bridge/config/problems.ts'

function assertProblems ({ flags }: { flags: Record<string, string> }, expected: readonly RegExp[]): void {
  assert.throws(() => readConfig({ flags }), (error) => {
    assert.ok(error instanceof ConfigError)
    assert.equal(error.problems.length, expected.length, error.message)
    for (const [at, pattern] of expected.entries()) {
      assert.match(formatProblem(error.problems[at] ?? assert.fail()), pattern)
    }
    return true
  })
}

test('roles are for users, one each, and a listener that others reach needs users or a word of the operator', () => {
  const problem = (flags: Record<string, string>, ...problems: RegExp[]): void => {
    assertProblems({ flags }, problems)
  }
  problem({ 'auth.operators': 'otto' }, /^auth\.operators: .*names users, and there are none/)
  const users = { 'auth.passwordFile': '/etc/sluice/passwords' }
  problem({ ...users, 'auth.operators': 'otto', 'auth.viewers': 'vera,otto' }, /^auth\.viewers: .*both name otto/)
  problem({ ...users, 'auth.viewers': 'a/b' }, /^auth\.viewers: .*is not a list of user names/)
  problem({ 'mqtt.ws.listen': '0.0.0.0:8083' }, /^mqtt\.ws\.listen: .*devices have no identity/)
  problem({ ...users, 'mqtt.ws.tlsListen': '0.0.0.0:8084' }, /^mqtt\.tls\.cert: .*mqtt\.ws\.tlsListen needs one/, /^mqtt\.tls\.key/)
  const { auth, mqtt } = readConfig({ flags: { ...users, 'mqtt.ws.listen': '0.0.0.0:8083', 'auth.operators': 'otto', 'mqtt.limits.handshake': '3s' } })
  assert.deepEqual([auth.operators, mqtt.ws.listen?.port, mqtt.limits.handshake], [['otto'], 8083, 3_000])
})
