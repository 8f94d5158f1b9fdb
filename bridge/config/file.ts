import {
  isAlias, isMap, isNode, isScalar, LineCounter, parseDocument, type Document, type Pair
} from 'yaml'
import { catalogue, isSection, settingAt } from './catalogue.ts'
import { unknownName, type Problem } from './problems.ts'
import type { Given, Reading } from './sources.ts'

interface Page {
  readonly name: string
  readonly document: Document
  readonly lines: LineCounter
  readonly given: Given[]
  readonly problems: Problem[]
}

/** Reads the text of a configuration file (YAML 1.2). `name` is what problems call it. */
export function readYaml (name: string, text: string): Reading {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const page: Page = { name, document, lines, given: [], problems: [] }
  for (const { message, pos } of document.errors) {
    page.problems.push({ path: '', message: `the file is not YAML: ${message}`, source: place(page, pos[0]) })
  }
  // What a broken document seems to say is a guess; its syntax comes first.
  if (page.problems.length === 0 && !isEmpty(document.contents)) readSection(page, '', document.contents)
  return page
}

function readSection (page: Page, section: string, node: unknown): void {
  const map = isAlias(node) ? node.resolve(page.document) : node
  if (!isMap(map)) {
    const message = section === ''
      ? 'does not hold settings; write lines like dataDir: ./data'
      : `is a section; write its settings below it, like ${example(section)}: ...`
    page.problems.push({ path: section, message, source: place(page, start(map)) })
    return
  }
  for (const pair of map.items) readPair(page, section, pair)
}

function readPair (page: Page, section: string, { key, value }: Pair): void {
  const word = isScalar(key) ? String(key.value) : String(key)
  const path = section === '' ? word : `${section}.${word}`
  const source = place(page, start(key))
  const setting = settingAt(path)
  if (setting !== undefined) {
    page.given.push({ setting, value: plain(page, value), source })
  } else if (isSection(path)) {
    if (!isEmpty(value)) readSection(page, path, value)
  } else {
    const names = catalogue.filter(({ isBuilt }) => isBuilt).map((one) => one.path)
    page.problems.push({ path, message: unknownName('key', path, names), source })
  }
}

// A section whose lines are all commented out is a null to YAML.
function isEmpty (node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === null)
}

function plain (page: Page, node: unknown): unknown {
  return isNode(node) ? node.toJS(page.document) : null
}

function example (section: string): string {
  const first = catalogue.find(({ path, isBuilt }) => isBuilt && path.startsWith(`${section}.`))
  return first?.path.slice(section.length + 1) ?? 'name'
}

function start (node: unknown): number {
  return isNode(node) ? node.range?.[0] ?? 0 : 0
}

function place ({ name, lines }: Page, offset: number): string {
  return `${name}:${lines.linePos(offset).line}`
}
