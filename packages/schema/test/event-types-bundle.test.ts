import { describe, expect, it } from '@jest/globals'
import { build } from 'esbuild'

/** The files that are left of a program, with the bytes that each adds. */
async function bundled(program: string): Promise<Readonly<Record<string, number>>> {
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    minify: true,
    metafile: true,
    conditions: ['drawbridge-source'],
  })
  const [output] = Object.values(metafile.outputs)
  return Object.fromEntries(
    Object.entries(output?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([file, { bytesInOutput }]) => [file.replace(/^.*\/src\//, ''), bytesInOutput]),
  )
}

describe('a bundle', () => {
  it('of one event type has its validator and that of its family, and no other', async () => {
    const files = await bundled(
      `import { SessionRevoked } from '@drawbridge/schema/caep'; console.log(SessionRevoked)`,
    )
    expect(Object.keys(files).filter((file) => /^(caep|risc|scim|ssf)\//.test(file))).toEqual([
      'caep/common.validate.ts',
      'caep/session-revoked.validate.ts',
      'caep/session-revoked.ts',
    ])
  })

  it('of accessMeaning has no validator', async () => {
    const files = await bundled(
      `import { accessMeaning } from '@drawbridge/schema'; console.log(accessMeaning)`,
    )
    expect(Object.keys(files)).toContain('access-meaning.ts')
    expect(Object.keys(files).filter((file) => /^(caep|risc|scim|ssf)\//.test(file))).toEqual([])
  })

  it('of a family has one validator for all types without members', async () => {
    const files = await bundled(
      `import { riscEventTypes } from '@drawbridge/schema/risc'; console.log(riscEventTypes)`,
    )
    expect(Object.keys(files).filter((file) => file.endsWith('.validate.ts'))).toHaveLength(4)
  })
})
