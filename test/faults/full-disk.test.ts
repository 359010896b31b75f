import { execFile, type ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { end, startChild } from '../support/child.ts'
import { usersOf, wants } from '../support/signals.mjs'

let folder: string
let child: ChildProcess | undefined
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-disk-'))
})
afterEach(async () => {
  await end(child)
  await rm(folder, { recursive: true, force: true })
})

interface Told {
  readonly transmitted?: number
  readonly failed?: number
  readonly code?: string
  readonly ran?: number
  readonly waiting?: readonly number[]
}

/** Runs a part, and tells which numbers were transmitted and which were refused with which code. */
async function run(
  idp: ChildProcess,
  part: { from: number; to: number; width: number },
): Promise<{ readonly transmitted: number[]; readonly codes: Set<string> }> {
  const transmitted: number[] = []
  const codes = new Set<string>()
  const messages = on(idp, 'message')
  idp.send({ run: part })
  for await (const [told] of messages as AsyncIterable<[Told]>) {
    if (told.transmitted !== undefined) transmitted.push(told.transmitted)
    if (told.code !== undefined) codes.add(told.code)
    if (told.ran !== undefined) break
  }
  return { transmitted, codes }
}

async function waiting(idp: ChildProcess, receiver: number): Promise<readonly number[]> {
  idp.send({ waiting: String(receiver) })
  const [told] = (await once(idp, 'message')) as [Told]
  return told.waiting ?? []
}

/** Sets how long a file of a process may become: as on a full disk, writing fails, with EFBIG. */
const limitFiles = (idp: ChildProcess, bytes: number | 'unlimited'): Promise<unknown> =>
  promisify(execFile)('prlimit', [`--pid=${idp.pid}`, `--fsize=${bytes}:unlimited`])

const rounds = 30
const isLinux = process.platform === 'linux'

describe('a full disk', () => {
  ;(isLinux ? it : it.skip)(
    'lets transmit throw ERR_STORAGE_UNAVAILABLE, leaves nothing half-written, and nothing lost when there is space again',
    async () => {
      const receivers = 8
      const endpoints = JSON.stringify(Array.from({ length: receivers }, () => null))
      const idp = await startChild('signals-child.mjs', path.join(folder, 'signals.db'), endpoints)
      child = idp
      const before = await run(idp, { from: 0, to: 100, width: 10 })
      expect(before.codes).toEqual(new Set())
      // The limit falls on another point of the work each time.
      const full = []
      for (let round = 0; round < rounds; round++) {
        await limitFiles(idp, 600_000 + round * 20_001)
        full.push(await run(idp, { from: 100 * (round + 1), to: 100 * (round + 2), width: 10 }))
      }
      expect(new Set(full.flatMap(({ codes }) => [...codes]))).toEqual(
        new Set(['ERR_STORAGE_UNAVAILABLE']),
      )
      expect(full.flatMap(({ transmitted }) => transmitted).length).toBeLessThan(100 * rounds)
      await limitFiles(idp, 'unlimited')
      const after = await run(idp, { from: 100 * (rounds + 1), to: 100 * (rounds + 2), width: 10 })
      expect(after.codes).toEqual(new Set())
      const all = [before, ...full, after].flatMap(({ transmitted }) => transmitted)
      for (let receiver = 0; receiver < receivers; receiver++) {
        const wanted = all.filter((n) => wants(receiver, usersOf(n), receivers))
        const found = await waiting(idp, receiver)
        expect(found.toSorted((one, other) => one - other)).toEqual(
          wanted.toSorted((one, other) => one - other),
        )
      }
    },
  )
})
