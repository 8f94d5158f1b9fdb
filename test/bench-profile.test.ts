import assert from 'node:assert/strict'
import { test } from 'node:test'
import { profileStages } from '../bench/profile.ts'
import { eventually } from './helpers/eventually.ts'

test('a profile that fails leaves no store running', async () => {
  const processes = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'ProcessWrap').length
  const before = processes()
  await assert.rejects(profileStages(1, 1, () => { throw new Error('no room') }), /no room/)
  await eventually(() => processes() === before)
})
