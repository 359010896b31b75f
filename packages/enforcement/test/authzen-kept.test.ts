import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { email, issSub, opaque, type SubjectInput } from '@drawbridge/schema'
import { memoryLedger, type Ledger, type LedgerFollower, type Who } from '@drawbridge/enforcement'
import type {
  DecidedAccess,
  DecisionPoint,
  EvaluateOptions,
  EvaluationRequest,
} from '@drawbridge/enforcement/authzen'
import {
  clientOf,
  decides,
  json,
  startedPoint,
  status,
  wants,
  type TestPoint,
} from './authzen-point.ts'
import {
  alice,
  aliceSince,
  compliant,
  entryWith,
  idp,
  laptop,
  notCompliant,
  passwordChanged,
  revoked,
  startedNode,
  type TestNode,
} from './signals.ts'

interface Site extends TestNode {
  readonly point: TestPoint
  readonly decisionPoint: DecisionPoint
  /** Whether Alice, who logged in after the signals of noon, may write. */
  ask(name?: string, who?: Who): Promise<DecidedAccess>
}

const who = aliceSince(30)

async function startedSite(
  options: Parameters<typeof startedNode>[0] = {},
  asking: Parameters<typeof clientOf>[1] = {},
): Promise<Site> {
  const node = await startedNode(options)
  const point = await startedPoint()
  const decisionPoint = clientOf(point, { clock: node.clock, ...asking })
  const ask = (name?: string, session = who): Promise<DecidedAccess> =>
    decisionPoint.check(node.enforcement, session, { evaluation: wants(name) })
  return { ...node, point, decisionPoint, ask }
}

describe('a permit', () => {
  it('is given again to the same question, and to no other', async () => {
    const { ask, point, decisionPoint, enforcement } = await startedSite()
    await ask('read')
    const again = await ask('read')
    expect(again).toMatchObject({ outcome: 'allow', answer: { decision: true } })
    expect(point.asked).toHaveLength(1)
    await ask('write')
    const standing = enforcement.entriesFor(who)
    const at = (ms: number): Promise<unknown> =>
      decisionPoint.evaluate(wants('read', '7', { at: new Date(ms) }), { standing })
    await at(1)
    await at(2)
    expect(point.asked).toHaveLength(4)
    await at(2)
    const { subject, resource, action } = wants('read')
    await decisionPoint.evaluate({ action, resource, subject }, { standing })
    expect(point.asked).toHaveLength(4)
  })

  it('is given again for cacheMs from when it was asked', async () => {
    const { ask, point, clock } = await startedSite({}, { cacheMs: 1000 })
    let release = (): void => undefined
    point.respond = (response) => {
      release = () => json(response, { decision: true })
    }
    const arrival = point.arrival()
    const slow = ask()
    await arrival
    await clock.advance(600)
    release()
    await slow
    await clock.advance(399)
    await ask()
    expect(point.asked).toHaveLength(1)
    point.respond = decides(true)
    await clock.advance(1)
    await ask()
    expect(point.asked).toHaveLength(2)
  })

  it('is not kept where cacheMs is 0, nor where nobody says what the ledger says', async () => {
    const { ask, point, decisionPoint } = await startedSite({}, { cacheMs: 0 })
    await ask()
    await ask()
    expect(point.asked).toHaveLength(2)
    const kept = clientOf(point)
    await kept.evaluate(wants())
    await kept.evaluate(wants())
    await decisionPoint.evaluate(wants())
    expect(point.asked).toHaveLength(5)
  })

  it('is found by several evaluations, and keeps theirs', async () => {
    const { point, decisionPoint } = await startedSite()
    const standing: [] = []
    await decisionPoint.evaluate(wants('read'), { standing })
    const three = [wants('write'), wants('read'), wants('delete')]
    const answers = await decisionPoint.evaluateAll(three, { standing })
    expect(answers.map(({ decision }) => decision)).toEqual([true, true, true])
    expect(point.asked.at(-1)?.body).toEqual({ evaluations: [three[0], three[2]] })
    await decisionPoint.evaluateAll(three, { standing })
    expect(point.asked).toHaveLength(2)
  })

  it('is forgotten when the application says so', async () => {
    const { ask, point, decisionPoint } = await startedSite()
    await ask()
    decisionPoint.forget()
    await ask()
    expect(point.asked).toHaveLength(2)
  })

  it('is bounded in number: what was asked longest ago goes', async () => {
    const { point, decisionPoint } = await startedSite()
    const file = (id: number): EvaluationRequest => wants('read', `f-${id}`)
    const standing: [] = []
    const isAsked = async (
      id: number,
      options: EvaluateOptions = { standing },
    ): Promise<boolean> => {
      const before = point.asked.length
      await decisionPoint.evaluate(file(id), options)
      return point.asked.length > before
    }
    await decisionPoint.evaluateAll(
      Array.from({ length: 10_000 }, (_, id) => file(id)),
      { standing },
    )
    // Asked anew, for the ledger says something else, it is the newest.
    const changed = { standing: [entryWith()] }
    expect(await isAsked(0, changed)).toBe(true)
    expect(await isAsked(10_000)).toBe(true)
    expect(await isAsked(2)).toBe(false)
    expect(await isAsked(0, { standing: changed.standing })).toBe(false)
    expect(await isAsked(1)).toBe(true)
  })
})

describe('what is no permit', () => {
  it('is a refusal: it denies one request, and the next is asked anew', async () => {
    const { ask, point } = await startedSite()
    point.respond = decides(false)
    expect(await ask()).toMatchObject({ outcome: 'refuse' })
    point.respond = decides(true)
    expect(await ask()).toMatchObject({ outcome: 'allow' })
  })

  it('is a failure, also where it lets the request through', async () => {
    const { ask, point } = await startedSite({}, { onError: 'permit' })
    point.respond = status(500)
    expect(await ask()).toMatchObject({ outcome: 'allow' })
    point.respond = decides(false)
    expect(await ask()).toMatchObject({ outcome: 'refuse' })
  })
})

describe('what is asked at the same time', () => {
  it('is sent once, and everybody gets the answer', async () => {
    const { ask, point } = await startedSite()
    point.respond = decides(false)
    const answers = await Promise.all([ask(), ask(), ask('read'), ask()])
    expect(answers.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'refuse'))
    expect(point.asked).toHaveLength(2)
  })

  it('is sent again where a signal came after it was sent', async () => {
    const { ask, point, enforcement } = await startedSite()
    const arrival = point.arrival()
    let release = (): void => undefined
    point.respond = (response) => {
      release = () => json(response, { decision: true })
    }
    const before = ask()
    await arrival
    await enforcement.apply(revoked(alice))
    point.respond = decides(false)
    expect(await ask()).toMatchObject({ outcome: 'refuse' })
    release()
    expect(await before).toMatchObject({ outcome: 'allow' })
    expect(await ask()).toMatchObject({ outcome: 'refuse' })
    expect(point.asked).toHaveLength(3)
  })

  it('is not kept where it was forgotten meanwhile', async () => {
    const { ask, point, decisionPoint } = await startedSite()
    const arrival = point.arrival()
    let release = (): void => undefined
    point.respond = (response) => {
      release = () => json(response, { decision: true })
    }
    const before = ask()
    await arrival
    decisionPoint.forget()
    point.respond = decides(false)
    release()
    await before
    expect(await ask()).toMatchObject({ outcome: 'refuse' })
  })
})

describe('a signal', () => {
  it('drops the permits of whom it is about, and of nobody else', async () => {
    const { ask, point, enforcement } = await startedSite()
    await ask()
    await enforcement.apply(revoked(issSub(idp, 'bob')))
    await ask()
    expect(point.asked).toHaveLength(1)
    // It takes nothing from a session that began later, and is a signal about it all the same.
    await enforcement.apply(revoked(alice))
    expect(await ask()).toMatchObject({ outcome: 'allow' })
    expect(point.asked).toHaveLength(2)
  })

  it('drops them when it gives back, when it is local, and when it names a device', async () => {
    const { ask, point, enforcement } = await startedSite()
    let times = 0
    const askedAgain = async (): Promise<void> => {
      await ask()
      expect(point.asked).toHaveLength(++times)
    }
    await askedAgain()
    await enforcement.take({
      on: { user: alice },
      cause: 'incident',
      effect: 'shorten',
      terms: { lifetimeSeconds: 3600 },
    })
    await askedAgain()
    await enforcement.giveBack({ on: { user: alice }, cause: 'incident' })
    await askedAgain()
    await enforcement.apply(notCompliant({ user: alice, device: laptop }))
    expect((await ask()).outcome).not.toBe('allow')
    await enforcement.apply(compliant({ user: alice, device: laptop }, { at: 1_795_000_001 }))
    await askedAgain()
  })

  it('drops them when it names somebody as the application does not', async () => {
    const address = email('alice@example.com')
    const { ask, point, enforcement } = await startedSite({
      resolve: (subject) => (subject.format === 'email' ? [alice] : []),
    })
    await ask()
    await enforcement.apply(revoked(address))
    await ask()
    expect(point.asked).toHaveLength(2)
  })

  it('drops them when it was applied on another node', async () => {
    const memory = memoryLedger()
    let follower: LedgerFollower | undefined
    const ledger: Ledger = {
      ...memory,
      follow: async (one) => {
        follower = one
        one.put(await memory.readAll())
      },
    }
    const { ask, point } = await startedSite({ ledger })
    await ask()
    follower?.put([entryWith()])
    await ask()
    expect(point.asked).toHaveLength(2)
  })

  it('is seen after a restart, too', async () => {
    const ledger = memoryLedger()
    const { ask, point, enforcement } = await startedSite({ ledger })
    await ask()
    await enforcement.stop()
    await ledger.open()
    await ledger.write(entryWith())
    await enforcement.start()
    await ask()
    expect(point.asked).toHaveLength(2)
  })

  type Step = 'ask' | 'about her' | 'about her session' | 'about another'
  const subjects: Readonly<Record<string, SubjectInput>> = {
    'about her': alice,
    'about her session': { user: alice, session: opaque('s-1') },
    'about another': issSub(idp, 'bob'),
  }

  it('is never followed by a permit from before it', async () => {
    const step = fc.constantFrom<Step>(
      'ask',
      'ask',
      'about her',
      'about her session',
      'about another',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { ask, point, enforcement } = await startedSite()
        let [asked, at, isKept] = [0, 1_794_990_000, false]
        for (const one of steps) {
          const subject = subjects[one]
          if (subject) {
            await enforcement.apply(passwordChanged(subject, { at: ++at }))
            isKept &&= one === 'about another'
            continue
          }
          expect(await ask()).toMatchObject({ outcome: 'allow' })
          if (!isKept) asked++
          isKept = true
          expect(point.asked).toHaveLength(asked)
        }
        await point.stop()
        await enforcement.stop()
      }),
      { numRuns: 40 },
    )
  })
})
