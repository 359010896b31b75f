import { access, readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'

const root = new URL('../../', import.meta.url)
const pagesIn = async (folder: string): Promise<string[]> =>
  (await readdir(new URL(folder, root))).flatMap((name) =>
    name.endsWith('.md') ? [`${folder}${name}`] : [],
  )

describe('pages', () => {
  it('link to files and folders that are there', async () => {
    const pages = [
      ...(await pagesIn('')),
      ...(await pagesIn('docs/')),
      ...(await pagesIn('docs/guides/')),
    ]
    expect(pages).toContain('README.md')
    const broken: string[] = []
    for (const page of pages) {
      const url = new URL(page, root)
      for (const [, target = ''] of (await readFile(url, 'utf8')).matchAll(/\]\(([^)#\s]+)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        const found = await access(new URL(target, url)).then(
          () => true,
          () => false,
        )
        if (!found) broken.push(`${page}: ${target}`)
      }
    }
    expect(broken).toEqual([])
  })
})
