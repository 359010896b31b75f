import type { ChildProcess } from 'node:child_process'
import { on } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { closeConnection, createTestReceiver, type TestReceiver } from '@drawbridge/testkit'
import { end, ended, startChild } from '../support/child.ts'
import { numbersOf, userOf } from '../support/pushing.ts'
import { usersOf, wants } from '../support/signals.mjs'

const isFull = process.env['DRAWBRIDGE_FAULTS'] === 'full'
const events = isFull ? 10_000 : 1_500
const kills = isFull ? 60 : 10
const streams = 20

let folder: string
let child: ChildProcess | undefined
let receivers: TestReceiver[]

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'drawbridge-kills-'))
  receivers = await Promise.all(Array.from({ length: streams }, () => createTestReceiver()))
})
afterEach(async () => {
  await end(child)
  await Promise.all(receivers.map((receiver) => receiver.close()))
  await rm(folder, { recursive: true, force: true })
})

const start = async (): Promise<ChildProcess> => {
  const endpoints = JSON.stringify(receivers.map(({ url }) => url))
  child = await startChild('signals-child.mjs', path.join(folder, 'signals.db'), endpoints)
  return child
}

interface Told {
  readonly transmitted?: number
  readonly ran?: number
}

/** Runs a part, and resolves when so many are transmitted, or all. Notes what was promised. */
async function run(
  idp: ChildProcess,
  part: { from: number; to: number },
  { known, count }: { readonly known: Set<number>; readonly count: number },
): Promise<void> {
  const wanted = known.size + count
  const messages = on(idp, 'message')
  idp.send({ run: { ...part, width: 32 } })
  for await (const [told] of messages as AsyncIterable<[Told]>) {
    if (told.transmitted !== undefined) known.add(told.transmitted)
    if (told.ran !== undefined || known.size >= wanted) break
  }
}

/** Resolves when a Receiver has every event of those that were promised. */
async function has(receiver: TestReceiver, wanted: ReadonlySet<number>): Promise<void> {
  const missing = new Set(wanted)
  let seen = 0
  await receiver.until(({ accepted }) => {
    for (const set of accepted.slice(seen)) {
      for (const n of numbersOf([set], userOf(set))) missing.delete(n)
    }
    seen = accepted.length
    return missing.size === 0
  })
}

describe('kill -9 at random points of a run', () => {
  it(`loses none of ${events} events over ${streams} streams, keeps the order, and repeats only what has the same jti: ${kills} times`, async () => {
    const known = new Set<number>()
    // A connection that breaks after the SET was read: the Transmitter cannot know, and repeats it.
    for (const receiver of receivers) receiver.when(() => Math.random() < 0.01, closeConnection)
    let [from, wanted] = [0, 0]
    for (let kill = 0; kill < kills; kill++) {
      const idp = await start()
      const to = Math.round((events * (kill + 1)) / kills)
      const count = Math.ceil(Math.random() * (to - from))
      wanted += count
      await run(idp, { from, to }, { known, count })
      idp.kill('SIGKILL')
      await ended(idp)
      // What was under way is recorded or not: nobody was promised anything.
      from = to
    }
    await start()
    await Promise.all(
      receivers.map((receiver, index) =>
        has(receiver, new Set([...known].filter((n) => wants(index, usersOf(n), streams)))),
      ),
    )
    expect(known.size).toBeGreaterThanOrEqual(wanted)
    for (const { received } of receivers) {
      const byNumber = new Map<string, Set<string>>()
      for (const set of received) {
        const name = JSON.stringify(numbersOf([set], userOf(set)))
        byNumber.set(name, (byNumber.get(name) ?? new Set()).add(set.jti))
      }
      expect([...byNumber.values()].filter(({ size }) => size > 1)).toEqual([])
    }
    for (const { accepted } of receivers) {
      for (const user of new Set(accepted.map(userOf))) {
        const numbers = numbersOf(accepted, user)
        expect(numbers).toEqual(numbers.toSorted((one, other) => one - other))
      }
    }
  }, 600_000)
})
