import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { catalogue } from '../bridge/config/catalogue.ts'
import { allowance } from '../bridge/config/config.ts'
import { configSchema, describeConfig, exampleConfig, formatDescribed } from '../bridge/config/describe.ts'
import { ConfigError } from '../bridge/config/problems.ts'
import { configHash, readConfig } from '../bridge/config/read-config.ts'
import { KEY_FIELDS } from '../bridge/config/check.ts'
import type { Sources } from '../bridge/config/sources.ts'
import { KEY_PLACEHOLDERS } from '../bridge/uplink/object-key.ts'

async function writeTemp (t: TestContext, name: string, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-config-'))
  t.after(() => rm(directory, { recursive: true }))
  const file = join(directory, name)
  await writeFile(file, text)
  return file
}

function problems (sources: Sources): string[] {
  try {
    readConfig(sources)
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1).map((line) => line.trim())
    throw error
  }
  return []
}

/** Exactly these problems, in any order, each known by a pattern. */
function assertProblems (sources: Sources, patterns: readonly RegExp[]): void {
  const found = problems(sources)
  const missing = patterns.filter((pattern) => !found.some((line) => pattern.test(line)))
  assert.deepEqual(missing, [], found.join('\n'))
  assert.equal(found.length, patterns.length, found.join('\n'))
}

test('the defaults are those of the documentation', () => {
  const config = readConfig({})
  assert.deepEqual(config.mqtt.listen, { host: '127.0.0.1', port: 1883 })
  assert.equal(allowance(config.uplink), 4_750_000)
  assert.equal(config.spool.dir, 'data/spool')
  assert.equal(config.s3.local, true)
  assert.equal(config.s3.bucket, 'images')
})

test('the example is valid and says the defaults', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', exampleConfig())
  assert.deepEqual(readConfig({ file }), readConfig({}))
  const given = describeConfig({ file }).filter(({ source }) => source !== 'default')
  assert.equal(given.length, catalogue.filter(({ isBuilt }) => isBuilt).length)
})

test('a flag wins over the environment, the environment over the file, the file over the default', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', 'uplink:\n  share: 10%\n  capacity: 10Mbit\n  concurrency: 1\n')
  const env = { SLUICE_UPLINK_CAPACITY: '20Mbit', SLUICE_UPLINK_CONCURRENCY: '2' }
  const sources = { file, env, flags: { 'uplink.concurrency': '3' } }
  const { share, capacity, concurrency, overhead } = readConfig(sources).uplink
  assert.deepEqual({ share, capacity, concurrency, overhead },
    { share: 0.1, capacity: 20e6, concurrency: 3, overhead: 0.05 })
  const told = new Map(describeConfig(sources).map(({ path, source }) => [path, source]))
  assert.equal(told.get('uplink.share'), `${file}:2`)
  assert.equal(told.get('uplink.capacity'), 'SLUICE_UPLINK_CAPACITY')
  assert.equal(told.get('uplink.concurrency'), '--uplink-concurrency')
  assert.equal(told.get('uplink.overhead'), 'default')
})

test('all problems of all sources are told at once, each with its place', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', [
    'mqtt:', '  listn: 127.0.0.1:1883', '  maxPacketSize: 8 bananas', 'uplink: { share: 120%, capacity: 40 }', 'spool: 5'
  ].join('\n'))
  const env = { SLUICE_UPLINK_TIMEOUT: '60', SLUICE_DATADIR: '/x' }
  assertProblems({ file, env, flags: { 'http.listen': '80' } }, [
    /^mqtt\.listn: unknown key; did you mean mqtt\.listen\? \(.*sluice\.yaml:2\)$/,
    /^mqtt\.maxPacketSize: "8 bananas" is not a size; write it like .*sluice\.yaml:3\)$/,
    /^uplink\.share: "120%" is too large; write 100% or less/,
    /^uplink\.capacity: 40 is not a rate/,
    /^spool: is a section; .*sluice\.yaml:5\)$/,
    /^uplink\.timeout: "60" is not a duration; .*\(SLUICE_UPLINK_TIMEOUT\)$/,
    /^SLUICE_DATADIR: unknown variable; did you mean SLUICE_DATA_DIR\?$/,
    /^http\.listen: "80" is not host:port; .*\(--http-listen\)$/
  ])
})

test('an unknown key names the one that was meant, also from another section', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', 'segmentSize: 64MiB\nmqtt: { MaxPacketsize: 1MB }\nquiet: true\n')
  assertProblems({ file }, [
    /^segmentSize: unknown key; did you mean spool\.segmentSize\?/,
    /^mqtt\.MaxPacketsize: unknown key; did you mean mqtt\.maxPacketSize\?/,
    /^quiet: unknown key; remove it/
  ])
})

test('a file that is not YAML is refused with its line, a missing one by its name', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', 'mqtt:\n  listen: [\n')
  assertProblems({ file }, [/^the file is not YAML: .*sluice\.yaml:\d+\)$/])
  assertProblems({ file: '/nowhere/sluice.yaml' }, [/^cannot read \/nowhere\/sluice\.yaml: there is no such file/])
})

test('an empty file and sections with every line commented out mean the defaults', async (t) => {
  for (const text of ['', '# nothing\n', 'mqtt:\n  # listen: 127.0.0.1:1884\nuplink:\n']) {
    assert.deepEqual(readConfig({ file: await writeTemp(t, 'sluice.yaml', text) }), readConfig({}))
  }
})

test('what a later version builds is refused in words, unless it is off', async (t) => {
  const off = 'mqtt: { tls: { listen: null, cert: null }, ws: { listen: null } }\nauth: { jwt: { secretFile: null } }\n' +
    'uplink: { schedule: [], order: fair }\nspool: { onFull: block }\n'
  assert.deepEqual(readConfig({ file: await writeTemp(t, 'off.yaml', off) }), readConfig({}))
  const on = 'spool: { onFull: thin, softMark: 80% }\n'
  const built = /is not built yet in this version; remove it/
  assertProblems({ file: await writeTemp(t, 'on.yaml', on) }, Array<RegExp>(2).fill(built))
})

test('a line may have no limit, and says so in the same word', () => {
  const { uplink } = readConfig({ flags: { 'uplink.capacity': 'unlimited' } })
  assert.equal(allowance(uplink), Infinity)
  assertProblems({ flags: { 'uplink.capacity': 'endless' } }, [/^uplink\.capacity: "endless" .*40Mbit or 512kbit, or unlimited/])
  assertProblems({ flags: { 'uplink.capacity': '1kbit' } }, [/^uplink\.capacity: "1kbit" is too small; write 8kbit or more/])
  assertProblems({ flags: { 'uplink.capacity': '8kbit' } },
    [/^uplink\.share: "20%" comes to less than 8kbit of uplink\.capacity, .*write 100% or more/])
  assertProblems({ flags: { 'uplink.capacity': '300kbit', 'uplink.share': '1%' } }, [/^uplink\.share: "1%" .*write 2\.7% or more/])
  for (const flags of [{ 'uplink.capacity': '8kbit', 'uplink.share': '100%' }, { 'uplink.capacity': '300kbit', 'uplink.share': '2.7%' }]) {
    assert.ok(readConfig({ flags }).uplink.share > 0)
  }
})

test('a listener beyond loopback without identity is refused with its cure', () => {
  assertProblems({ flags: { 'mqtt.listen': '0.0.0.0:1883' } },
    [/^mqtt\.listen: "0\.0\.0\.0:1883" .*listen on 127\.0\.0\.1:1883, or write auth\.anonymous: always/])
  assertProblems({ flags: { 'mqtt.listen': '[::]:1883', 'auth.anonymous': 'never' } }, [/^auth\.anonymous: "never"/])
  assertProblems({ flags: { 'mqtt.listen': '0.0.0.0:1883', 'auth.anonymous': 'always' } }, [])
  assertProblems({ flags: { 'mqtt.listen': '0.0.0.0:1883', 'auth.anonymous': 'never', 'auth.passwordFile': 'names' } }, [])
  assertProblems({ flags: { 'http.listen': '0.0.0.0:8080' } }, [/^http\.listen: .*http\.tokenFile/])
  assertProblems({ flags: { 'localStore.listen': '0.0.0.0:9000' } }, [/^localStore\.listen: /])
})

test('values that contradict each other are told together', () => {
  assertProblems({
    flags: {
      'mqtt.memoryBudget': '1MB',
      'spool.limit': '100MB',
      'spool.reserve': '1MB',
      'http.listen': '127.0.0.1:1883',
      's3.bucket': 'x'
    },
    env: { SLUICE_S3_ACCESS_KEY_ID: 'AKIA' }
  }, [
    /^mqtt\.memoryBudget: "1MB" is less than one packet of mqtt\.maxPacketSize; write 8MB or more/,
    /^spool\.limit: "100MB" is less than 4 segments; write 256MiB or more/,
    /^spool\.reserve: .*write 64MiB or more/,
    /^http\.listen: .*has the port of mqtt\.listen/,
    /^s3\.bucket: "x" is not a bucket name/,
    /^s3\.secretAccessKey: is missing beside its partner/
  ])
})

test('a value already refused is not judged again by what it would have meant', () => {
  const flags = { 'mqtt.memoryBudget': '1MB', 'mqtt.maxPacketSize': 'huge' }
  assertProblems({ flags }, [/^mqtt\.maxPacketSize: "huge"/])
})

test('no two images can have one key', () => {
  const key = (text: string): Sources => ({ flags: { 's3.key': text } })
  for (const good of ['{deviceId}/{imageId}', 'a/{yyyy}-{MM}/{deviceId}/x-{imageId}.{ext}']) assertProblems(key(good), [])
  assertProblems(key('images/{imageId}.{ext}'), [/^s3\.key: .* lacks \{deviceId\}/])
  assertProblems(key('{deviceId}-{imageId}'), [/^s3\.key: .* needs a \/ between/])
  assertProblems(key('{deviceId}/{imageId}/{hour}'), [/^s3\.key: .* holds \{hour\}; known are/])
  assertProblems(key('/{deviceId}/../{imageId}'), [/^s3\.key: .* has an empty part/])
})

test('a key may hold what the uplink can fill in, and nothing else', () => {
  assert.deepEqual([...KEY_FIELDS].sort(), [...KEY_PLACEHOLDERS].sort())
})

test('AWS is meant by a bucket, another store by an endpoint, the local store by neither', () => {
  const local = (flags: Readonly<Record<string, string>>) => readConfig({ flags }).s3
  assert.equal(local({}).local, true)
  assert.equal(local({ 's3.bucket': 'photos' }).local, false)
  const radosgw = local({ 's3.endpoint': 'http://10.0.0.9:7480' })
  assert.deepEqual([radosgw.local, radosgw.endpoint, radosgw.bucket], [false, 'http://10.0.0.9:7480', 'images'])
})

test('a secret can be given in the environment or in a file, and is never printed', async (t) => {
  const secretFile = await writeTemp(t, 'secret', 'hunter2\n')
  const tokenFile = await writeTemp(t, 'token', 'opensesame\n')
  const sources = {
    env: { SLUICE_S3_ACCESS_KEY_ID: 'AKIAEXAMPLE', SLUICE_S3_SECRET_ACCESS_KEY_FILE: secretFile },
    flags: { 'http.tokenFile': tokenFile }
  }
  const config = readConfig(sources)
  assert.equal(config.s3.accessKeyId, 'AKIAEXAMPLE')
  assert.equal(config.s3.secretAccessKey, 'hunter2')
  assert.equal(config.http.token, 'opensesame')
  const printed = formatDescribed(describeConfig(sources)) + JSON.stringify(describeConfig(sources))
  assert.doesNotMatch(printed, /hunter2|opensesame|AKIAEXAMPLE/)
  assert.match(printed, /secretAccessKey: "\*{6}" +# SLUICE_S3_SECRET_ACCESS_KEY_FILE: /)
})

test('a problem never prints a secret either', async (t) => {
  const file = await writeTemp(t, 'sluice.yaml', 's3: { secretAccessKey: 12345678, endpoint: "http://me:hunter2@store" }\n')
  const told = problems({ file, flags: { 's3.accessKeyId': 'AKIAEXAMPLE' } })
  assert.equal(told.length, 3)
  assert.doesNotMatch(told.join('\n'), /12345678|hunter2|AKIAEXAMPLE/)
})

test('a secret given twice, or in a file that says nothing, is a problem', async (t) => {
  const empty = await writeTemp(t, 'secret', '\n')
  const env = { SLUICE_HTTP_TOKEN: 'one', SLUICE_HTTP_TOKEN_FILE: empty }
  assertProblems({ env }, [/^http\.token: is given twice, here and as http\.tokenFile/,
    /^http\.tokenFile: .* is empty/])
  assert.equal(readConfig({ env: { SLUICE_HTTP_TOKEN: 'one' }, flags: {} }).http.token, 'one')
})

test('the environment of a Kubernetes service and empty variables are no settings', () => {
  const env = {
    SLUICE_SERVICE_HOST: '10.0.0.1',
    SLUICE_SERVICE_PORT: '1883',
    SLUICE_PORT: 'tcp://10.0.0.1:1883',
    SLUICE_PORT_1883_TCP_ADDR: '10.0.0.1',
    SLUICE_S3_ENDPOINT: ''
  }
  assert.deepEqual(readConfig({ env }), readConfig({}))
})

test('every setting has one name in the environment and one as a flag', () => {
  const names = catalogue.flatMap(({ variable, flag }) => flag === undefined ? [variable] : [variable, flag])
  assert.equal(new Set(names).size, names.length)
  assert.equal(catalogue.find(({ path }) => path === 's3.accessKeyId')?.variable, 'SLUICE_S3_ACCESS_KEY_ID')
  assert.equal(catalogue.find(({ path }) => path === 'dataDir')?.flag, 'data-dir')
})

test('two configurations that differ in a secret alone have one hash, others do not', () => {
  const hash = (flags: Record<string, string>, token: string) =>
    configHash(readConfig({ flags, env: { SLUICE_HTTP_TOKEN: token } }))
  assert.equal(hash({}, 'one'), hash({}, 'two'))
  assert.notEqual(hash({}, 'one'), hash({ 'uplink.share': '21%' }, 'one'))
  assert.notEqual(hash({}, 'one'), configHash(readConfig({})))
})

test('the schema for editors knows every setting and refuses others', () => {
  const schema = JSON.stringify(configSchema())
  for (const { path } of catalogue) assert.ok(schema.includes(`"${path.split('.').at(-1)}"`), path)
  assert.match(schema, /"additionalProperties":false/)
})
