import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, root } from '../support/snippets.ts'

describe('docs/guides/identity-provider.md', () => {
  it('has programs that compile as they stand', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const programs = await blocksOf('docs/guides/identity-provider.md')
      expect([...programs.keys()]).toEqual(['idp.ts', 'operate.ts'])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
