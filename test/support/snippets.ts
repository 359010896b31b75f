import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The folder of the whole project. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url))

/** The blocks of a page by file name: code under `<!-- snippet: name -->`, or what it prints. */
export async function blocksOf(
  page: string,
  kind: 'snippet' | 'output' = 'snippet',
): Promise<Map<string, string>> {
  const text = await readFile(path.join(root, page), 'utf8')
  const blocks = text.matchAll(
    new RegExp(String.raw`<!-- ${kind}: (\S+) -->\s+${'```'}\w+\n(.*?)${'```'}`, 'gs'),
  )
  return new Map([...blocks].map(([, name = '', code = '']) => [name, code]))
}

/**
 * Compiles the programs in a folder two levels below the project's, against the built packages.
 *
 * @throws Error with what the compiler says
 */
export async function compile(folder: string): Promise<void> {
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
}

/** Runs a compiled program and returns what it prints. */
export async function output(folder: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [...args], { cwd: folder })
  return stdout.trim()
}
