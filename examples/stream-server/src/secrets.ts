import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** What the server keeps beside its database: made once, readable by its user only. */
export interface Secrets {
  /** Encrypts the signing keys at rest. */
  readonly secret: string
  /** The bearer token of the Receiver. */
  readonly token: string
}

/** Reads the secrets in a folder, or makes both. */
export async function readSecrets(folder: string): Promise<Secrets> {
  await mkdir(folder, { recursive: true })
  const file = path.join(folder, 'secrets.json')
  const make = (): string => randomBytes(32).toString('base64url')
  const made: Secrets = { secret: make(), token: make() }
  try {
    await writeFile(file, JSON.stringify(made), { flag: 'wx', mode: 0o600 })
    return made
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return JSON.parse(await readFile(file, 'utf8')) as Secrets
  }
}
