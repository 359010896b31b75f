import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { blocksOf, compile, root } from '../support/snippets.ts'

describe('docs/guides/mcp.md', () => {
  it('has programs that compile as they stand', async () => {
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      const programs = await blocksOf('docs/guides/mcp.md')
      expect([...programs.keys()]).toEqual(['mcp.ts'])
      for (const [name, code] of programs) await writeFile(path.join(folder, name), code)
      await compile(folder)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
  it('has the texts that a refused call is answered with', async () => {
    const source = await readFile(
      path.join(root, 'packages/enforcement/src/mcp/guard-call.ts'),
      'utf8',
    )
    const guide = await readFile(path.join(root, 'docs/guides/mcp.md'), 'utf8')
    const texts = [...source.matchAll(/(?:denied|ended): '(.+)'/g)].map(([, text = '']) => text)
    expect(texts).toHaveLength(2)
    for (const text of texts) expect(guide).toContain(`\`${text}\``)
  })
})
