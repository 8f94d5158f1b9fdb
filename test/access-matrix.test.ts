import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { compile } from '../broker/permit.ts'
import { parseRules } from '../broker/rules.ts'
import { accessOf } from './helpers/access.ts'
import { connectDevice, startTestBroker } from './helpers/mqtt.ts'

const users = { 'cam-1': 'a', 'cam-2': 'b', viewer: 'c', operator: 'd', '@site': 'e' }
const acl = `
# before the first user: clients without a name
topic readwrite lights/#

user viewer
topic read $SYS/#
topic read devices/+/acks
user operator
topic read #
topic write devices/+/images
topic commands/all
pattern write logs/{username}/#
pattern read commands/{deviceId}
`
const roles = ['cam-1', 'viewer', 'operator', '@site', 'nameless'] as const
type Role = typeof roles[number]

const written: Readonly<Record<string, readonly Role[]>> = {
  'devices/cam-1/images': ['cam-1', 'operator'],
  'devices/cam-1/images/a1': ['cam-1'],
  'devices/cam-1/status': ['cam-1'],
  'devices/cam-1/acks': [],
  'devices/cam-1/config': [],
  'devices/cam-2/images': ['operator'],
  'devices/cam-2/images/a1': [],
  'devices/cam-2/status': [],
  'devices/cam-10/images': ['operator'],
  'devices/viewer/images': ['viewer', 'operator'],
  'devices/cam-1': [],
  '$SYS/broker/uptime': [],
  'sluice/site/state': [],
  'lights/hall': ['nameless'],
  lights: ['nameless'],
  'commands/all': ['operator'],
  'commands/cam-1': [],
  'logs/cam-1/x': ['cam-1'],
  'logs/@site/x': ['@site'],
  'logs/cam-10/x': []
}

const read: Readonly<Record<string, readonly Role[]>> = {
  'devices/cam-1/acks': ['cam-1', 'viewer', 'operator'],
  'devices/cam-1/config': ['cam-1', 'operator'],
  'devices/cam-1/responses/7': ['cam-1', 'operator'],
  'devices/cam-1/#': ['operator'],
  'devices/cam-1/+': ['operator'],
  'devices/cam-1/status': ['operator'],
  'devices/cam-1/images': [],
  'devices/cam-2/acks': ['viewer', 'operator'],
  'devices/+/acks': ['viewer', 'operator'],
  'devices/+/+': ['operator'],
  'devices/+/acks/#': ['operator'],
  '#': ['operator'],
  '+/#': ['operator'],
  '$SYS/#': ['viewer'],
  '$SYS/broker/uptime': ['viewer'],
  '$share/group/lights/hall': [],
  'lights/#': ['operator', 'nameless'],
  'lights/+': ['operator', 'nameless'],
  'commands/cam-1': ['cam-1', 'operator'],
  'commands/cam-2': ['operator'],
  'commands/+': ['operator'],
  'commands/all': ['operator'],
  'logs/cam-1/x': ['operator']
}

const cells = (table: Readonly<Record<string, readonly Role[]>>): Array<{ name: string, role: Role, may: boolean }> =>
  Object.entries(table).flatMap(([name, granted]) => roles.map((role) => ({ name, role, may: granted.includes(role) })))

async function start (t: TestContext) {
  const access = await accessOf(users, acl)
  const taken: string[] = []
  const started = await startTestBroker(t, { access, takeCustody: async ({ topic }) => { taken.push(topic); return { kind: 'taken' } } })
  const clients = new Map(await Promise.all(roles.map(async (role) => {
    const named = role === 'nameless' ? {} : { username: role, password: users[role] }
    return [role, await connectDevice(t, started.port, named)] as const
  })))
  const clientOf = (role: Role) => clients.get(role) ?? assert.fail(role)
  return { ...started, taken, clientOf }
}

test('each role publishes to exactly the topics that are its own or granted to it', async (t) => {
  const { seen, clientOf, taken } = await start(t)
  const wrong: string[] = []
  for (const { name, role, may } of cells(written)) {
    const before = [seen('topic-refused').length, taken.length]
    await clientOf(role).publishAsync(name, 'x', { qos: 1 })
    const isRefused = seen('topic-refused').length > (before[0] ?? 0)
    const isTaken = taken.length > (before[1] ?? 0)
    if (isRefused === may || (isTaken && !may)) wrong.push(`${role} ${may ? 'may' : 'may not'} publish to ${name}`)
  }
  assert.deepEqual(wrong, [])
})

test('each role subscribes to exactly the filters whose every topic it may read', async (t) => {
  const { clientOf } = await start(t)
  const wrong: string[] = []
  for (const { name, role, may } of cells(read)) {
    const granted = await clientOf(role).subscribeAsync(name, { qos: 0 }).then(([one]) => one?.qos === 0, () => false)
    if (granted !== may) wrong.push(`${role} ${may ? 'may' : 'may not'} subscribe to ${name}`)
  }
  assert.deepEqual(wrong, [])
})

test('a filter within a granted one matches no topic that the granted one does not', () => {
  const level = fc.constantFrom('a', 'b', '', '$x', '.', 'a+b')
  const topic = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filter = fc.tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([levels, isOpen]) => [...levels, ...isOpen ? ['#'] : []].join('/'))
    .filter((text) => !text.includes('a+b'))
  fc.assert(fc.property(filter, filter, topic, (granted, asked, name) => {
    const plain = (text: string, one: string): boolean => matches(text.split('/'), one.split('/'))
    assert.equal(compile(granted).test(name), plain(granted, name), `${granted} and the topic ${name}`)
    if (compile(granted).test(asked) && plain(asked, name)) assert.ok(plain(granted, name), `${asked} within ${granted}: ${name}`)
  }), { seed: 8, numRuns: 5_000 })
})

/** As the standard has it, level by level. */
function matches (filter: readonly string[], topic: readonly string[]): boolean {
  if (topic[0]?.startsWith('$') === true && /^[+#]/.test(filter[0] ?? '')) return false
  return filter.every((level, at) => level === '#' || (at < topic.length && (level === '+' || level === topic[at]))) &&
    (filter.at(-1) === '#' || filter.length === topic.length)
}

test('a line of an ACL file that is not understood is a problem with its number, never a rule', () => {
  const lines = [
    'topic deny site/#', 'topic', 'topic read', 'topic site/#/x', 'topic a+/b', 'user', 'user a b', 'user a/b',
    'pattern site/%c', 'pattern site/{device}', 'allow x', 'topic write'
  ]
  const { rules, problems } = parseRules(lines.join('\n'))
  assert.deepEqual(problems.map(({ line }) => line), lines.map((_line, at) => at + 1))
  assert.deepEqual([rules.byUser.size, rules.nameless, rules.patterns], [0, [], []])
  assert.match(problems[0]?.message ?? '', /has deny, which is not known here/)
})
