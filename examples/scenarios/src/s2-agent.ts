// S2: an agent works for a person on a task. A decision point finds it reaching for data behind a
// boundary: it goes on reading elsewhere and can change nothing any more, in every process and with
// every token, and the person is told. It outlives the person's session, and not the account.
import { recommendedPolicy } from '@drawbridge/enforcement'
import { resource } from './agent/resource.ts'
import { tellPerson } from './agent/tell-person.ts'
import type { Scenario } from './frame/scenario.ts'

const scope = 'files:read files:write'

/** An agent reaches for data behind a boundary. The parts that take long to load are loaded last. */
export const agentScenario: Scenario = {
  title: 'An agent reaches for data behind a boundary',
  accounts: {
    'alice knows it': { sub: 'alice', scope },
    'the researcher has it': { sub: 'researcher', client_id: 'researcher', scope },
    'the helper has it': { sub: 'helper', client_id: 'helper', scope: 'files:read' },
  },
  routes: { 'GET /files': ['files:read'], 'PUT /files': ['files:write'] },
  agents: {
    resource,
    consents: [
      { person: 'alice', agent: 'researcher', task: 'quarterly-report' },
      { person: 'alice', agent: 'helper' },
    ],
    gateway: async (parts) => (await import('./agent/gateway.ts')).createGateway(parts),
    decider: async () => (await import('./agent/cedar-policies.ts')).decide,
  },
  enforcement: ({ sessions, tell }) => ({
    policy: recommendedPolicy(),
    sessions: sessions.find,
    hooks: { restrict: tellPerson((message) => tell('message', message)) },
  }),
  play: async (stage) => (await import('./agent/play.ts')).playAgent(stage),
}
