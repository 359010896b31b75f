import { createHmac } from 'node:crypto'
import { appendFile, mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { checkOptions, type Watchable } from '@drawbridge/core'
import type { EnforcementEvents } from '../enforcement-events.ts'
import { watchForAudit } from './audit-record.ts'

/** The options of {@link auditFiles}. */
export interface AuditFilesOptions {
  /** Where the files are; it is made where it does not exist. */
  readonly folder: string
  /** How many days a file is kept. Default: 400. */
  readonly keepDays?: number
  /**
   * The key under which subjects are written as pseudonyms, at least 16 characters. Default: they
   * are written as they are.
   */
  readonly pseudonymKey?: string
  /** Told of a line that could not be written; it is lost. Default: it is printed, without the line. */
  readonly failed?: (error: unknown) => void
}

/** A record that is being kept. */
export interface AuditFiles {
  /** Resolves when everything that has happened until now is in the files. */
  flush(): Promise<void>
  /** Ends the record, after {@link AuditFiles.flush}. Idempotent. */
  stop(): Promise<void>
}

const fileName = /^audit-\d{4}-\d{2}-\d{2}\.jsonl$/

/**
 * Keeps a record of what the enforcement decided and did: signals, the mandate that failed,
 * effects, lifts, acts of operators (`by`), hooks, silence, the state of the ledger. One file for
 * each day (UTC), one JSON object in each line, appended and never changed. The record follows what
 * happened and decides nothing: it is not waited for.
 *
 * @example
 *   const audit = auditFiles(enforcement.events, { folder: 'audit', pseudonymKey: key })
 *   await enforcement.start()
 *
 * @throws OptionsError `ERR_INVALID_ARG_VALUE` with every mistake
 */
export function auditFiles(
  events: Watchable<EnforcementEvents>,
  options: AuditFilesOptions,
): AuditFiles {
  const { folder, keepDays = 400, pseudonymKey, failed = print } = checked(options)
  let waiting: Line[] = []
  let writing: Promise<void> | undefined
  let purgedFor = ''

  const append = async (lines: readonly Line[]): Promise<void> => {
    await mkdir(folder, { recursive: true })
    for (const [day, text] of byDay(lines)) {
      await appendFile(path.join(folder, `audit-${day}.jsonl`), text, { mode: 0o600 })
      if (day === purgedFor) continue
      purgedFor = day
      await removeBefore(folder, firstDayKept(day, keepDays))
    }
  }
  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      await append(lines).catch(failed)
    }
    // In the same turn in which nothing was waiting, so that no line waits for ever.
    writing = undefined
  }
  const flush = async (): Promise<void> => writing

  const stopWatching = watchForAudit(
    events,
    pseudonymKey === undefined ? {} : { pseudonym: (key) => hash(pseudonymKey, key) },
    (record) => {
      const at = new Date(record.at).toISOString()
      waiting.push({ day: at.slice(0, 10), text: `${JSON.stringify({ ...record, at })}\n` })
      writing ??= writeAll()
    },
  )
  return {
    flush,
    stop: async () => {
      stopWatching()
      await flush()
    },
  }
}

interface Line {
  readonly day: string
  readonly text: string
}

function checked(options: AuditFilesOptions): AuditFilesOptions {
  const { check, known, done } = checkOptions('auditFiles')
  known(options ?? {}, ['folder', 'keepDays', 'pseudonymKey', 'failed'])
  const { folder, keepDays = 1, pseudonymKey, failed } = options ?? {}
  check(typeof folder === 'string' && folder !== '', '"folder" must be the path of a folder')
  check(Number.isInteger(keepDays) && keepDays >= 1, '"keepDays" must be a whole number, 1 or more')
  check(
    pseudonymKey === undefined || (typeof pseudonymKey === 'string' && pseudonymKey.length >= 16),
    '"pseudonymKey" must be a secret of 16 characters or more',
  )
  check(failed === undefined || typeof failed === 'function', '"failed" must be a function')
  done()
  return options
}

function byDay(lines: readonly Line[]): ReadonlyMap<string, string> {
  const days = new Map<string, string>()
  for (const { day, text } of lines) days.set(day, (days.get(day) ?? '') + text)
  return days
}

const firstDayKept = (day: string, keepDays: number): string =>
  new Date(Date.parse(day) - keepDays * 86_400_000).toISOString().slice(0, 10)

async function removeBefore(folder: string, day: string): Promise<void> {
  const old = (await readdir(folder)).filter((name) => {
    return fileName.test(name) && name < `audit-${day}.jsonl`
  })
  await Promise.all(old.map((name) => rm(path.join(folder, name), { force: true })))
}

const hash = (key: string, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url')

const print = (error: unknown): void =>
  console.error('drawbridge: the audit record could not be written', error)
