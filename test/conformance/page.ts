// docs/conformance.md and the table of README.md, from the statements.

import { statements, type Statement } from './statements.ts'

type Kind = Statement['kind']

const CHAPTERS: Readonly<Record<string, string>> = {
  1: 'UTF-8', 2: 'control packets', 3: 'each packet', 4: 'operation', 6: 'WebSocket', 7: 'conformance'
}

const KINDS: { readonly [kind in Kind]: (statement: Statement) => string } = {
  held: () => 'tested',
  'held-but': (statement) => `tested; deliberately otherwise: ${statement.kind === 'held-but' ? statement.but : ''}`,
  websocket: () => 'tested over WebSocket',
  foreign: (statement) => `not tested: ${statement.kind === 'foreign' ? statement.because : ''}`
}

const chapterOf = ({ clause }: Statement): string => clause.split('.')[0] ?? ''

function countsOf (some: readonly Statement[]): string {
  const isOf = (...kinds: readonly Kind[]): number => some.filter(({ kind }) => kinds.includes(kind)).length
  return [some.length, isOf('held', 'held-but', 'websocket'), isOf('foreign'), isOf('held-but')].join(' | ')
}

export const table = [
  '| MQTT 3.1.1 | statements | tested | of clients, or of nothing here | of the tested deliberately otherwise |',
  '|---|---|---|---|---|',
  ...Object.entries(CHAPTERS).map(([chapter, title]) =>
    `| ${chapter} ${title} | ${countsOf(statements.filter((statement) => chapterOf(statement) === chapter))} |`),
  `| all | ${countsOf(statements)} |`
].join('\n')

export const conformancePage = [
  '# Conformance to MQTT 3.1.1',
  '',
  'The normative statements of the OASIS Standard of 29 October 2014, each in our own words. A tested one has a test of its clause in ' +
  '`test/conformance/`, which runs over TCP, TLS and WebSocket with every `npm test`. This page is made from ' +
  '`test/conformance/statements.ts` by `npm run docs`; `npm run check` fails where the two differ.',
  '',
  table,
  ...Object.entries(CHAPTERS).flatMap(([chapter, title]) => [
    '', `## ${chapter} ${title}`, '', '| clause | says | here |', '|---|---|---|',
    ...statements.filter((statement) => chapterOf(statement) === chapter).map(row)
  ]),
  ''
].join('\n')

function row (statement: Statement): string {
  return `| [MQTT-${statement.clause}] | ${statement.says} | ${KINDS[statement.kind](statement)} |`
}

const [BEGIN, END] = ['<!-- conformance: npm run docs -->', '<!-- /conformance -->']

/** The text with the table between its two marks. Throws where they are not there. */
export function withTable (readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} with an ${END} behind it; put them where the table belongs`)
  return `${readme.slice(0, begin + BEGIN.length)}\n${table}\n${readme.slice(end)}`
}
