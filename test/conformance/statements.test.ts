import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checks, isHeld } from './conform.ts'
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
