// S1: a service account may change settings while a change window is open. The rule looks at its
// requests, not at signals: the one that comes outside the window is refused, and what the rule took
// stays taken, in every process, until a new window is approved.
import { changeWindow, recommendedPolicy, type ChangeWindow } from '@drawbridge/enforcement'
import {
  answerOf,
  expectAnswer,
  expectChange,
  expectThat,
  say,
  type Change,
} from './frame/observe.ts'
import type { Scenario } from './frame/scenario.ts'
import type { Stage } from './frame/stage.ts'

const minute = 60_000
const read = 'GET /settings'
const write = 'PUT /settings'
const downgraded = '403 insufficient_scope'

/** The window that operators have noted in this process; times are in milliseconds since 1970. */
function windowIn(notes: ReadonlyMap<string, unknown>): ChangeWindow | undefined {
  const window = notes.get('window') as { readonly from: number; readonly to: number } | undefined
  return window && { from: new Date(window.from), to: new Date(window.to) }
}

/** A service account's request moves outside the approved change window. */
export const changeWindowScenario: Scenario = {
  title: 'A service account moves outside its change window',
  accounts: {
    'the deployer has it': {
      sub: 'deployer',
      client_id: 'deployer',
      scope: 'settings:read settings:write',
    },
  },
  routes: { [read]: ['settings:read'], [write]: ['settings:write'] },
  enforcement: ({ notes }) => ({
    policy: recommendedPolicy(),
    requestRules: [
      changeWindow({
        windowOf: ({ kind }) => (kind === 'service' ? windowIn(notes) : undefined),
        effect: 'restrict',
        terms: { take: ['settings:write'] },
      }),
    ],
  }),
  play: async (stage) => {
    const opened = Date.now()
    await stage.note('window', { from: opened, to: opened + 10 * minute })
    const token = await stage.logIn('the deployer has it')
    await expectAnswer(stage, 'it changes settings', { token, route: write, answer: '200' })

    await moveOutside(stage, token)
    await expectAnswer(stage, 'it still reads', { token, route: read, answer: '200' })
    await expectAnswer(stage, 'it cannot change', { token, route: write, answer: downgraded })
    const again = { token: await stage.logIn('the deployer has it'), route: write }
    await expectAnswer(stage, 'nor with a new token', { ...again, answer: downgraded })

    await stage.note('window', { from: opened, to: opened + 60 * minute })
    const longer = 'nor when the old window is made longer'
    await expectAnswer(stage, longer, { ...again, answer: downgraded })

    await stage.turn(minute)
    const from = opened + 12 * minute
    const what = 'a new window is approved'
    await expectChange(stage, { ...again, what, from: downgraded, to: '200' }, () =>
      stage.note('window', { from, to: from + 10 * minute }),
    )
    await expectAnswer(stage, 'with the old token too', { token, route: write, answer: '200' })
  },
}

/**
 * Only process one's clock shows that the window has closed: what process two refuses, it refuses
 * by what process one has found out.
 */
async function moveOutside(stage: Stage, token: string): Promise<void> {
  await stage.turn(11 * minute, 'one')
  say(stage, 'the window has closed, by the clock of process one')
  const what = 'a change is asked of process one'
  const change: Change = { what, token, route: write, from: '200', to: downgraded, only: 'two' }
  const first = await expectChange(stage, change, async () =>
    answerOf(await stage.request('one', token, write)),
  )
  expectThat(stage, `process one answered that very request ${downgraded}`, first === downgraded)
  await stage.turn(11 * minute, 'two')
  say(stage, 'the window has closed, by the clock of process two as well')
}
