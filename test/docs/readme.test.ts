import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { freePorts } from '../support/child.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

/** The README's programs by file name: code blocks that a comment names. */
async function snippets(): Promise<Map<string, string>> {
  const readme = await readFile(path.join(root, 'README.md'), 'utf8')
  const blocks = readme.matchAll(/<!-- snippet: (\S+) -->\s+```ts\n(.*?)```/gs)
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]))
}

/** Puts a program on loopback: the hosts of the README are nobody's, and loopback has no https. */
const onLoopback = (code: string, idpPort: number, appPort: number): string =>
  code
    .replaceAll('https://idp.example', `http://127.0.0.1:${idpPort}`)
    .replaceAll('https://app.example/', `http://127.0.0.1:${appPort}/`)
    .replace(/^( {2}issuer(: idp)?,)$/m, '$1 allowInsecureHttp: true,')

describe('README', () => {
  it('has programs that compile as they stand, and run: a session is refused after it was closed', async () => {
    // Inside the repository, so that its packages are found as a user's project finds them.
    const folder = await mkdtemp(path.join(root, 'test', 'readme-'))
    try {
      await cp(path.join(root, 'test/support/readme'), folder, { recursive: true })
      const [idpPort, appPort] = await freePorts()
      const programs = await snippets()
      expect([...programs.keys()]).toEqual(['idp.ts', 'app.ts'])
      for (const [name, code] of programs) {
        await writeFile(path.join(folder, name), onLoopback(code, idpPort, appPort))
      }
      const config = {
        extends: '../../tsconfig.base.json',
        compilerOptions: {
          composite: false,
          isolatedDeclarations: false,
          customConditions: [],
          skipLibCheck: true,
          types: ['node'],
        },
        include: ['.'],
      }
      await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
      const tsc = path.join(root, 'node_modules/.bin/tsc')
      await run(tsc, ['-p', folder]).catch((error: { stdout: string }) => {
        throw new Error(error.stdout)
      })
      const ports = [String(idpPort), String(appPort)]
      const { stdout } = await run(process.execPath, ['main.js', ...ports], { cwd: folder })
      expect(stdout.trim()).toBe('refused')
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }, 60_000)
})
