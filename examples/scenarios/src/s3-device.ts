// S3: device management finds that a contractor's device is not compliant. Device management is no
// identity provider: which sessions it may touch, and how hard, is written down in a mandate.
import { recommendedPolicy } from '@drawbridge/enforcement'
import { issSub, opaque } from '@drawbridge/schema'
import { DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import { decodeJwt } from 'jose'
import {
  expectAnswer,
  expectChange,
  expectDwell,
  say,
  type Asked,
  type Change,
} from './frame/observe.ts'
import type { Scenario } from './frame/scenario.ts'
import type { Stage } from './frame/stage.ts'

const route = 'GET /drawings'
const suspended = '401 invalid_token'

/** A contractor's device stops being compliant, and is put right. */
export const deviceScenario: Scenario = {
  title: "A contractor's device stops being compliant",
  transmitters: ['mdm'],
  accounts: { 'carol knows it': { sub: 'carol', scope: 'drawings:read' } },
  routes: { [route]: ['drawings:read'] },
  enforcement: ({ issuers: { idp = '', mdm = '' } }) => ({
    policy: recommendedPolicy(),
    mandates: { [mdm]: { issuers: [idp], hardest: 'suspend' } },
  }),
  play: async (stage) => {
    const logIn = (device: string): Promise<string> => stage.logIn('carol knows it', { device })
    const [first, second, phone] = [
      await logIn('laptop'),
      await logIn('laptop'),
      await logIn('phone'),
    ]
    await expectAnswer(stage, 'Carol works on her laptop', get(first, '200'))
    await expectAnswer(stage, 'and in another browser there', get(second, '200'))
    await expectAnswer(stage, 'and on her phone', get(phone, '200'))

    await changeCompliance(stage, 'not-compliant', { ...get(first), from: '200', to: suspended })
    await expectAnswer(stage, 'the other browser', get(second, suspended))
    await expectAnswer(stage, 'her phone', get(phone, '200'))
    const fresh = await logIn('laptop')
    await expectAnswer(stage, 'a fresh login on the laptop', get(fresh, suspended))

    await revoke(stage, second)

    await changeCompliance(stage, 'compliant', { ...get(first), from: suspended, to: '200' })
    await expectAnswer(stage, 'the fresh login', get(fresh, '200'))
    await expectAnswer(stage, 'the session that was revoked', get(second, suspended))
  },
}

const get = (token: string, answer = ''): Asked => ({ token, route, answer })

async function changeCompliance(
  stage: Stage,
  status: 'compliant' | 'not-compliant',
  change: Omit<Change, 'what'>,
): Promise<void> {
  const what = `device-compliance-change: ${status}`
  const jti = await expectChange(stage, { ...change, what }, () =>
    stage.transmit(
      'mdm',
      DeviceComplianceChange,
      { device: opaque('laptop') },
      {
        previous_status: status === 'compliant' ? 'not-compliant' : 'compliant',
        current_status: status,
        initiating_entity: 'policy',
        reason_admin: { en: `Disk encryption is ${status === 'compliant' ? 'on' : 'off'}` },
      },
    ),
  )
  await expectDwell(stage, jti)
}

/** The identity provider ends one of the two sessions meanwhile, for a reason of its own. */
async function revoke(stage: Stage, token: string): Promise<void> {
  const { iss = '', sub = '', sid } = decodeJwt<{ sid: string }>(token)
  const subject = { user: issSub(iss, sub), session: opaque(sid) }
  say(stage, 'session-revoked, of the other browser')
  const jti = await stage.transmit('idp', SessionRevoked, subject, { initiating_entity: 'admin' })
  await expectDwell(stage, jti)
}
