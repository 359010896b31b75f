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

/**
 * Reads the secrets in a folder, or makes both.
 *
 * @throws Error with one sentence that names the folder or the file
 */
export async function readSecrets(folder: string): Promise<Secrets> {
  const file = path.join(folder, 'secrets.json')
  const make = (): string => randomBytes(32).toString('base64url')
  const made: Secrets = { secret: make(), token: make() }
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(file, JSON.stringify(made), { flag: 'wx', mode: 0o600 })
    return made
  } catch (error) {
    // `mkdir` says EEXIST as well, where a file is in its place; to read in it fails too.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw notUsable(folder, error)
  }
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw notUsable(folder, error)
  }
  return parse(text, file)
}

function notUsable(folder: string, cause: unknown): Error {
  const { code } = cause as NodeJS.ErrnoException
  const isNoFolder = code === 'ENOTDIR' || code === 'EEXIST'
  const why = isNoFolder ? 'it is not a folder' : 'this user must be able to read and write in it'
  return new Error(`"${folder}" cannot keep the data: ${why}`, { cause })
}

function parse(text: string, file: string): Secrets {
  try {
    const { secret, token } = JSON.parse(text) as Partial<Secrets>
    if (isSecret(secret) && isSecret(token)) return { secret, token }
  } catch {
    // Not JSON, or not an object: the same sentence.
  }
  throw new Error(
    `"${file}" is damaged: it must be JSON with "secret" and "token"; put it back, or begin with another folder`,
  )
}

const isSecret = (value: unknown): value is string =>
  typeof value === 'string' && /^\S{32,}$/.test(value)
