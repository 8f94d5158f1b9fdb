import neostandard, { plugins } from 'neostandard'

// Which module may import which, and which folder is the home of which package.
// The reasons stand in CONTRIBUTING.md under "Which way imports point".
const homes = {
  aedes: 'broker/**',
  level: 'bridge/spool/**',
  bottleneck: 'bridge/uplink/**',
  '@aws-sdk/*': 'bridge/objects/**',
  '@smithy/*': 'bridge/objects/**',
  'prom-client': 'bridge/metrics.ts',
  zod: 'bridge/config/**',
  yaml: 'bridge/config/**',
  pino: 'bridge/log.ts',
  'pino-pretty': 'bridge/log.ts',
  commander: ['bridge/main.ts', 'bridge/cli/**', 'device-sim/cli/**'],
  'file-type': 'bridge/intake/**',
  '@node-rs/crc32': 'bridge/crc32.ts',
  '@fastify/busboy': 'bridge/http/**',
  'fast-xml-parser': 'bridge/local-store/**',
  'grafana-dash-gen': 'dashboards/**',
  sharp: 'device-sim/**',
  'hdr-histogram-js': 'device-sim/**',
  'mqtt-packet': 'device-sim/devices/**',
  mqtt: 'test/**',
  uplot: 'test/**',
  '@grafana/schema': 'test/**'
}

// device-sim judges Sluice from outside, so it brings its own S3 client, reader of files and metrics. The rules of
// Prometheus are YAML too.
const guests = {
  '@aws-sdk/*': ['device-sim/**'],
  '@smithy/*': ['device-sim/judge/**'],
  yaml: ['device-sim/scenario/**', 'device-sim/cli/**', 'dashboards/**'],
  zod: ['device-sim/scenario/**'],
  'prom-client': ['device-sim/report/**']
}

const see = 'See "Which way imports point" in CONTRIBUTING.md.'

const foreign = (path) => Object.entries(homes)
  .filter(([name, home]) => ![home, guests[name] ?? []].flat().some((glob) => inside(path, glob)))
  .map(([name]) => name)

const inside = (path, glob) => glob.endsWith('/**') ? path.startsWith(glob.slice(0, -2)) : path === glob

const only = (folder, { files = [`${folder}**`], forbidden = [] } = {}) => ({
  files,
  rules: {
    'no-restricted-imports': ['error', {
      patterns: [
        ...forbidden.map((group) => ({ group: [group], message: see })),
        ...foreign(folder).map((group) => ({ group: [group, `${group}/*`], message: see }))
      ]
    }]
  }
})

export default [
  { ignores: ['dist', 'node_modules', 'data'] },
  ...neostandard({ ts: true }),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { '@typescript-eslint': plugins['typescript-eslint'].plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': ['error', {
        allowForKnownSafeCalls: [{ from: 'package', package: 'node:test', name: ['test', 'describe', 'it', 'suite'] }]
      }],
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@stylistic/max-len': ['error', { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreUrls: true }],
      'no-restricted-properties': ['error', {
        object: 'AbortSignal', property: 'any', message: 'With a timeout it never aborts once collected (Node 20): bridge/deadline.ts.'
      }],
      'no-void': ['error', { allowAsStatement: true }],
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 70 }]
    }
  },
  { files: ['test/**/*.ts'], rules: { 'max-lines-per-function': 'off' } },
  only('broker/', { forbidden: ['**/bridge/**', '**/device-sim/**', '**/dashboards/**', '**/test/**'] }),
  only('bridge/', { files: ['bridge/*.ts', 'bridge/http/**'], forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**'] }),
  only('bridge/main.ts', { files: ['bridge/main.ts', 'bridge/cli/**'], forbidden: ['**/dashboards/**', '**/test/**'] }),
  only('bridge/metrics.ts', { files: ['bridge/metrics.ts'], forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**'] }),
  only('bridge/log.ts', { files: ['bridge/log.ts'], forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**'] }),
  only('bridge/http/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/cli/**'] }),
  only('bridge/config/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/spool/**', '**/uplink/**', '**/http/**'] }),
  only('bridge/intake/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/uplink/**', '**/objects/**', '**/http/**', '**/config/**'] }),
  only('bridge/spool/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/intake/**', '**/uplink/**', '**/objects/**', '**/http/**', '**/config/**', '**/broker.ts'] }),
  only('bridge/uplink/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/intake/**', '**/http/**', '**/config/**', '**/broker.ts'] }),
  only('bridge/objects/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/intake/**', '**/spool/**', '**/uplink/**', '**/http/**', '**/config/**', '**/broker.ts'] }),
  only('bridge/plan/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/intake/**', '**/spool/**', '**/uplink/**', '**/objects/**', '**/http/**', '**/config/**', '**/cli/**', '**/broker/**'] }),
  only('bridge/local-store/', { forbidden: ['**/device-sim/**', '**/dashboards/**', '**/test/**', '**/intake/**', '**/spool/**', '**/uplink/**', '**/http/**', '**/config/**', '**/broker/**'] }),
  only('device-sim/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('device-sim/cli/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('device-sim/scenario/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('device-sim/devices/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('device-sim/judge/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('device-sim/report/', { forbidden: ['**/bridge/**', '**/broker/!(topics).ts', '**/dashboards/**', '**/test/**'] }),
  only('dashboards/', { forbidden: ['**/bridge/!(metric-catalogue).ts', '**/bridge/*/**', '**/broker/**', '**/device-sim/**', '**/test/**'] })
]
