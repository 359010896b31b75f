import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'

const read = (file: string): Promise<string> =>
  readFile(new URL(`../../${file}`, import.meta.url), 'utf8')

const all = (text: string, words: RegExp): string[] =>
  [...text.matchAll(words)].map(([, found = '']) => found)

describe('docs/errors.md', () => {
  it('has every code of an error and no other, in the order of the source', async () => {
    const source = await read('packages/schema/src/errors.ts')
    const [, union = ''] = /export type ErrorCode =\n((?: {2}\| '\w+'\n)+)/.exec(source) ?? []
    const codes = all(union, /'(\w+)'/g)
    expect(codes).toContain('ERR_SET_MALFORMED') // it was found at all
    expect(all(await read('docs/errors.md'), /^### (ERR_\w+)$/gm)).toEqual(codes)
  })

  it('says of each code what to do', async () => {
    const sections = (await read('docs/errors.md')).split(/^##+ /m).slice(1)
    for (const section of sections.filter((text) => text.startsWith('ERR_'))) {
      const [code, ...text] = section.split('\n')
      expect([code, text.join(' ').trim().length > 80]).toEqual([code, true])
    }
  })

  it('has every class of an error', async () => {
    const source = await read('packages/schema/src/errors.ts')
    const classes = all(source, /^export class (\w+)/gm)
    expect(all(await read('docs/errors.md'), /^\| `(\w+)`/gm)).toEqual(classes)
  })
})
