import { expect, it } from '@jest/globals'
import { identifierFormats } from '../src/subjects/identifier-formats.ts'

it('SUBID-8.1-1: names of formats are lower-case letters, digits, "_" and "-"', () => {
  const names = Object.keys(identifierFormats)
  expect(names.length).toBeGreaterThan(10)
  expect(names.filter((name) => !/^[a-z\d_-]+$/.test(name))).toEqual([])
})
