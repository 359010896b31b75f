import { StorageError } from '@drawbridge/schema'
import type { LedgerDoubt } from '../ledger.ts'
import { isReply, type Connection } from './connection.ts'

/** What a server says about itself. */
export interface ServerFacts {
  /** The answer to `INFO`, where it may be asked. */
  readonly info?: string
  /** The save points of snapshots (`save`), where they may be asked; '' for none. */
  readonly save?: string
}

/**
 * Reads what a server says about its version, its memory and its persistence.
 *
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` when it cannot be reached
 */
export async function readServerFacts(connection: Connection): Promise<ServerFacts> {
  const [info, save] = await Promise.all([
    unlessForbidden(connection.send(['INFO'])),
    unlessForbidden(connection.send(['CONFIG', 'GET', 'save'])),
  ])
  return {
    ...(info !== undefined && { info: info as string }),
    ...(save !== undefined && { save: (save as string[])[1] ?? '' }),
  }
}

/** Managed servers know no CONFIG, and an ACL may forbid it. */
async function unlessForbidden(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (isReply(error, 'NOPERM') || isReply(error, 'ERR unknown')) return undefined
    throw error
  }
}

const oldestVersion = [6, 2] as const

/**
 * Judges whether a server can be trusted with a ledger.
 *
 * Only the policies `allkeys-…` remove entries: `volatile-…` removes keys that expire, and none of
 * the ledger's does. Without a limit (`maxmemory` 0) nothing is removed, whatever the policy.
 *
 * @param acceptForgetful Takes a server that evicts, as a doubt
 * @throws StorageError `ERR_STORAGE_UNAVAILABLE` for one that is too old or evicts
 */
export function judgeServer(
  { info, save }: ServerFacts,
  acceptForgetful: boolean,
): readonly LedgerDoubt[] {
  const facts = new Map(
    (info ?? '').split(/\r?\n/).map((line) => line.split(/:(.*)/s, 2) as [string, string]),
  )
  checkVersion(facts.get('redis_version'))
  const evicts =
    (facts.get('maxmemory') ?? '0') !== '0' && facts.get('maxmemory_policy')?.startsWith('allkeys-')
  if (evicts && !acceptForgetful) {
    throw new StorageError(
      'ERR_STORAGE_UNAVAILABLE',
      'the Redis of the ledger removes entries when its memory is full: its "maxmemory-policy" must be "noeviction" (or write "acceptForgetful: true")',
    )
  }
  const doubts: LedgerDoubt[] = evicts ? ['evicts'] : []
  const isAppending = facts.get('aof_enabled') === '1'
  if (!isAppending && save === '') doubts.push('not-persistent')
  if (!facts.has('maxmemory_policy') || (!isAppending && save === undefined)) doubts.push('unknown')
  return doubts
}

function checkVersion(version: string | undefined): void {
  const [major, minor] =
    /^(\d+)\.(\d+)/
      .exec(version ?? '')
      ?.slice(1)
      .map(Number) ?? []
  if (major === undefined || minor === undefined) return
  const [oldestMajor, oldestMinor] = oldestVersion
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return
  throw new StorageError(
    'ERR_STORAGE_UNAVAILABLE',
    `the Redis of the ledger is version ${major}.${minor}: it must be ${oldestVersion.join('.')} or newer`,
  )
}
