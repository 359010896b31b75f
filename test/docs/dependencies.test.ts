import { readdir, readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'

const root = new URL('../../', import.meta.url)
const read = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8')

describe('docs/dependencies.md', () => {
  it('has every dependency of every package, and no other', async () => {
    const page = await read('docs/dependencies.md')
    const documented = Object.fromEntries(
      page
        .split(/^## /m)
        .slice(1)
        .map((section) => {
          const [name = '', ...rows] = section.split('\n')
          const first = rows.map((row) => /^\| (`.*?) +\|/.exec(row)?.[1] ?? '').join(' ')
          return [name, [...first.matchAll(/`([^`]+)`/g)].map(([, found]) => found).toSorted()]
        }),
    )
    const declared: Record<string, string[]> = {}
    for (const folder of await readdir(new URL('packages', root))) {
      const manifest = JSON.parse(await read(`packages/${folder}/package.json`)) as {
        name: string
        dependencies?: object
        peerDependencies?: object
      }
      const { name, dependencies = {}, peerDependencies = {} } = manifest
      declared[name] = Object.keys({ ...dependencies, ...peerDependencies }).toSorted()
    }
    expect(documented).toEqual(declared)
  })
})
