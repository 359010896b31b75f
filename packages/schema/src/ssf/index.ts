export { StreamUpdated, type StreamUpdatedPayload } from './stream-updated.ts'
export { Verification, type VerificationPayload } from './verification.ts'
