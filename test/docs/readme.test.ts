import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { freePorts } from '../support/child.ts'
import { blocksOf, compile, output, root } from '../support/snippets.ts'

/** Puts a program on loopback: the hosts of the README are nobody's, and loopback has no https. */
const onLoopback = (code: string, idpPort: number, appPort: number): string =>
  code
    .replaceAll('https://idp.example', `http://127.0.0.1:${idpPort}`)
    .replaceAll('https://app.example/', `http://127.0.0.1:${appPort}/`)
    .replace(/^( {2}issuer(: idp)?,)$/m, '$1 allowInsecureHttp: true,')

/** A folder inside the repository, so that its packages are found as a user's project finds them. */
async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('README', () => {
  it('has programs that compile as they stand, and run: a session is refused after it was closed', async () => {
    await inFolder(async (folder) => {
      await cp(path.join(root, 'test/support/readme'), folder, { recursive: true })
      const [idpPort, appPort] = await freePorts()
      const programs = await blocksOf('README.md')
      expect([...programs.keys()]).toEqual(['idp.ts', 'app.ts'])
      for (const [name, code] of programs) {
        await writeFile(path.join(folder, name), onLoopback(code, idpPort, appPort))
      }
      await compile(folder)
      expect(await output(folder, 'main.js', String(idpPort), String(appPort))).toBe('refused')
    })
  })
})

describe('docs/guides/wire.md', () => {
  it('has a program that compiles and prints what the page says', async () => {
    await inFolder(async (folder) => {
      const page = 'docs/guides/wire.md'
      const [program, printed] = await Promise.all([blocksOf(page), blocksOf(page, 'output')])
      await writeFile(path.join(folder, 'wire.ts'), program.get('wire.ts') ?? '')
      await compile(folder)
      expect(await output(folder, 'wire.js')).toBe(printed.get('wire.ts')?.trim())
    })
  })
})
