// S4: a secret turns up where it should not be. Tokens that were obtained with it have not expired,
// and the identity provider still gives out more; none of them is of any use.
import { recommendedPolicy } from '@drawbridge/enforcement'
import { opaque } from '@drawbridge/schema'
import { CredentialCompromise } from '@drawbridge/schema/risc'
import {
  expectAnswer,
  expectChange,
  expectDwell,
  expectThat,
  say,
  type Asked,
} from './frame/observe.ts'
import type { Account, Scenario } from './frame/scenario.ts'
import { nodes } from './frame/stage.ts'

const route = 'GET /invoices'
const dead = '401 invalid_token'
const billing: Account = { sub: 'billing', client_id: 'billing', scope: 'invoices:read' }

/** A secret is suspected exposed. */
export const exposedSecretScenario: Scenario = {
  title: 'A secret is suspected exposed',
  accounts: {
    'the exposed secret': { ...billing, credential: 'secret-1' },
    'the new secret': { ...billing, credential: 'secret-2' },
  },
  routes: { [route]: ['invoices:read'] },
  enforcement: ({ tell }) => ({
    policy: recommendedPolicy(),
    hooks: {
      // Here a real one would have the secret replaced where it is kept.
      rotate: ({ key, subject }) => tell('rotated', { key, subject }),
    },
  }),
  play: async (stage) => {
    const exposed = 'the exposed secret'
    const [token, other] = [await stage.logIn(exposed), await stage.logIn(exposed)]
    await expectAnswer(stage, 'a token of secret-1', get(token, '200'))
    await expectAnswer(stage, 'another one', get(other, '200'))

    const what = 'credential-compromise of secret-1'
    const change = { ...get(token), what, from: '200', to: dead }
    const jti = await expectChange(stage, change, () =>
      stage.transmit(
        'idp',
        CredentialCompromise,
        { application: opaque('billing'), credential: opaque('secret-1') },
        { credential_type: 'client-secret' },
      ),
    )
    await expectDwell(stage, jti)
    await expectAnswer(stage, 'the other one, an hour before it expires', get(other, dead))
    const minted = await stage.logIn(exposed)
    await expectAnswer(stage, 'one that was minted with it afterwards', get(minted, dead))
    const rotated = await stage.logIn('the new secret')
    await expectAnswer(stage, 'a token of secret-2', get(rotated, '200'))

    // A process that ends lets its hooks finish: after that, none can come late.
    await stage.stop()
    say(stage, 'every process has ended')
    const calls = nodes.map((node) => stage.told(node, 'rotated').length)
    const ran = `the hook "rotate" ran ${calls[0]} time in process one, ${calls[1]} in process two`
    expectThat(stage, ran, calls.join() === '1,0')
  },
}

const get = (token: string, answer = ''): Asked => ({ token, route, answer })
