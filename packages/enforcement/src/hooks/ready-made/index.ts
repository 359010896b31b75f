export {
  backChannelLogout,
  type BackChannelLogoutOptions,
  type LoggedInClient,
} from './back-channel-logout.ts'
export {
  clientSecretBasic,
  clientSecretPost,
  type Authenticate,
  type ClientAuthentication,
} from './client-authentication.ts'
export {
  destroyExpressSessions,
  type DestroyExpressSessionsOptions,
} from './destroy-express-sessions.ts'
export {
  globalTokenRevocation,
  type Authorization,
  type GlobalTokenRevocationOptions,
} from './global-token-revocation.ts'
export { type LogoutTokenClaims, type LogoutTokenHeader } from './logout-token.ts'
export { type HttpOptions } from './post.ts'
export { revokeTokens, type RevocableToken, type RevokeTokensOptions } from './revoke-tokens.ts'
export {
  type ExpressSessionStore,
  type StoredSession,
  type StoredSessions,
} from './session-store.ts'
export { together } from './together.ts'
