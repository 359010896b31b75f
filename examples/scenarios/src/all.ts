import type { Scenario } from './frame/scenario.ts'
import { changeWindowScenario } from './s1-change-window.ts'
import { agentScenario } from './s2-agent.ts'
import { deviceScenario } from './s3-device.ts'
import { exposedSecretScenario } from './s4-exposed-secret.ts'
import { tenantScenario } from './s5-tenant.ts'

/** The scenarios by the names they are called by. */
export const scenarios: Readonly<Record<string, Scenario>> = {
  s1: changeWindowScenario,
  s2: agentScenario,
  s3: deviceScenario,
  s4: exposedSecretScenario,
  s5: tenantScenario,
}
