import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { checks, isHeld } from './conform.ts'
import { conformancePage, table, withTable } from './page.ts'
import { statements } from './statements.ts'

test('every statement of the standard is there once, and each that a server keeps has a check', () => {
  const clauses = statements.map(({ clause }) => clause)
  assert.equal(new Set(clauses).size, clauses.length)
  assert.deepEqual(statements.filter(isHeld).map(({ clause }) => clause).sort(), Object.keys(checks).sort())
})

test('the statements of a section are numbered without a gap', () => {
  for (const [nth, { clause }] of statements.entries()) {
    const [section, number] = clause.split('-')
    const before = statements[nth - 1]?.clause.split('-') ?? []
    assert.equal(Number(number), section === before[0] ? Number(before[1]) + 1 : 1, clause)
  }
})

test('every statement is in the table of its chapter, and every one on the page', () => {
  const counts = table.split('\n').slice(2).map((row) => Number(row.split('|')[2]))
  const [all, chapters] = [counts.at(-1), counts.slice(0, -1)]
  assert.equal(all, statements.length)
  assert.equal(chapters.reduce((sum, count) => sum + count, 0), statements.length)
  for (const { clause } of statements) assert.ok(conformancePage.includes(`| [MQTT-${clause}] |`), clause)
})

test('README and docs/conformance.md are what the statements say', async () => {
  const [readme, page] = await Promise.all(['README.md', 'docs/conformance.md'].map((path) => readFile(path, 'utf8')))
  assert.equal(readme, withTable(readme ?? ''))
  assert.equal(page, conformancePage)
})
