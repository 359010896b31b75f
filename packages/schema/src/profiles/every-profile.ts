import { apple } from './apple.ts'
import { caepInterop } from './caep-interop.ts'
import { google } from './google.ts'
import { googleWorkspace } from './google-workspace.ts'
import { keycloak } from './keycloak.ts'
import { okta } from './okta.ts'
import type { Profile } from './profile.ts'
import { sgnl } from './sgnl.ts'
import { sseId1 } from './sse-id1.ts'
import { strict } from './strict.ts'
import { tolerant } from './tolerant.ts'

/** Every profile that is here, for whoever finds them by name. */
export const everyProfile: readonly Profile[] = [
  strict,
  caepInterop,
  okta,
  apple,
  google,
  googleWorkspace,
  keycloak,
  sgnl,
  sseId1,
  tolerant,
]
