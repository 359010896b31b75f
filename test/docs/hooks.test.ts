import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

describe('docs/guides/hooks.md', () => {
  it('has programs that compile, and one that prints what the page says', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const page = 'docs/guides/hooks.md'
      const [programs, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      expect([...programs.keys()]).toEqual(['hooks.ts', 'others.ts'])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
      expect(await output(folder, 'hooks.js')).toBe(printed.get('hooks.ts')?.trim())
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
