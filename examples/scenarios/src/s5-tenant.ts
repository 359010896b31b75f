// S5: after an incident, whoever is signed in to a tenant must authenticate again, and more strongly.
// One entry in the ledger does it, whatever the number of sessions.
import { createPolicy } from '@drawbridge/enforcement'
import { opaque } from '@drawbridge/schema'
import { RiskLevelChange } from '@drawbridge/schema/caep'
import {
  expectAnswer,
  expectChange,
  expectDwell,
  expectThat,
  say,
  type Asked,
} from './frame/observe.ts'
import type { Account, Scenario } from './frame/scenario.ts'
import { nodes, type Stage } from './frame/stage.ts'

const route = 'GET /ledger'
const strong = 'phr'
const graceSeconds = 300
const challenged = '401 insufficient_user_authentication'
const account = (sub: string, tenant: string): Account => ({ sub, tenant, scope: 'ledger:read' })

/** Checks are tightened for a whole tenant. */
export const tenantScenario: Scenario = {
  title: 'Checks are tightened for a whole tenant',
  accounts: {
    'ann knows it': account('ann', 'acme'),
    'bob knows it': account('bob', 'acme'),
    'gil knows it': account('gil', 'globex'),
  },
  routes: { [route]: ['ledger:read'] },
  enforcement: ({ issuers: { idp = '' }, tell }) => ({
    policy: createPolicy([
      {
        on: RiskLevelChange,
        claims: { principal: 'TENANT', current_level: 'HIGH' },
        effect: 'reauthenticate',
        terms: { acr: strong, graceSeconds },
        reason: 'after an incident, only a login that resists phishing tells who somebody is',
      },
    ]),
    // To speak of a tenant as a whole takes a mandate that names it.
    mandates: { [idp]: { tenants: [opaque('acme'), opaque('globex')] } },
    hooks: { terminate: ({ subject }) => tell('ended', { subject }) },
  }),
  play: async (stage) => {
    const logIn = (name: string, acr: string): Promise<string> =>
      stage.logIn(`${name} knows it`, { acr })
    const [ann, bob, gil] = [
      await logIn('ann', 'pwd'),
      await logIn('bob', 'pwd'),
      await logIn('gil', 'pwd'),
    ]
    await expectAnswer(stage, 'Ann of acme works, signed in by password', get(ann, '200'))
    await expectAnswer(stage, 'Bob of acme too', get(bob, '200'))
    await expectAnswer(stage, 'Gil of globex too', get(gil, '200'))

    await reportIncident(stage, ann)
    expectChallenge(stage, await expectAnswer(stage, 'Bob', get(bob, challenged)))
    await expectAnswer(stage, 'Gil', get(gil, '200'))

    await stage.turn(40_000)
    const weak = await logIn('ann', 'pwd')
    await expectAnswer(stage, 'Ann, 40 s later, by password again', get(weak, challenged))
    const again = await logIn('ann', strong)
    await expectAnswer(stage, 'Ann, with her security key', get(again, '200'))

    const what = 'the five minutes are over, and Bob has done nothing'
    const change = { ...get(bob), what, from: challenged, to: '401 invalid_token' }
    const turn = (): Promise<void> => stage.turn(graceSeconds * 1000)
    await expectChange(stage, change, turn)
    await expectAnswer(stage, 'Ann goes on', get(again, '200'))
    await expectAnswer(stage, 'Gil goes on', get(gil, '200'))
    const later = await logIn('bob', strong)
    await expectAnswer(stage, 'Bob, with a new login', get(later, '200'))

    await stage.happened('one', 'ended', () => true)
    await stage.stop()
    say(stage, 'every process has ended')
    const calls = nodes.map((node) => stage.told(node, 'ended').length)
    const ran = `the hook "terminate" ran ${calls[0]} time in process one, ${calls[1]} in process two`
    expectThat(stage, ran, calls.join() === '1,0')
  },
}

const get = (token: string, answer = ''): Asked => ({ token, route, answer })

async function reportIncident(stage: Stage, token: string): Promise<void> {
  const what = 'risk-level-change: acme is at high risk'
  const change = { ...get(token), what, from: '200', to: challenged }
  const jti = await expectChange(stage, change, () =>
    stage.transmit(
      'idp',
      RiskLevelChange,
      { tenant: opaque('acme') },
      { principal: 'TENANT', current_level: 'HIGH', risk_reason: 'INCIDENT' },
    ),
  )
  await expectDwell(stage, jti)
}

/** A client that is challenged learns what to ask the identity provider for. */
function expectChallenge(stage: Stage, { headers }: Response): void {
  const challenge = headers.get('www-authenticate') ?? ''
  const [, asked] = /(acr_values="\w+", max_age="\d+")/.exec(challenge) ?? []
  expectThat(
    stage,
    `the challenge says ${asked}`,
    asked?.startsWith(`acr_values="${strong}"`) ?? false,
  )
}
