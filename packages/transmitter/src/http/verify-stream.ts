import { emptyResponse } from '@drawbridge/core'
import { readVerificationRequest } from '@drawbridge/schema'
import { requestVerification } from '../streams/request-verification.ts'
import type { Call } from './call.ts'

/** @see OpenID SSF 1.0, "Triggering a Verification Event" */
export async function verifyStream({ management, receiver, body }: Call): Promise<Response> {
  await requestVerification(management, readVerificationRequest(body), receiver)
  return emptyResponse(204)
}
