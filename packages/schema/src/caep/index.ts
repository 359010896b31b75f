export { CredentialChange, type CredentialChangePayload } from './credential-change.ts'
export {
  DeviceComplianceChange,
  type DeviceComplianceChangePayload,
} from './device-compliance-change.ts'
export { SessionRevoked, type SessionRevokedPayload } from './session-revoked.ts'
