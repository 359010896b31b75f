import { emptyResponse } from '@drawbridge/core'
import { readVerificationRequest } from '@drawbridge/schema'
import { requestVerification } from '../streams/request-verification.ts'
import { servingOf } from './as-served.ts'
import type { Call } from './call.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Triggering a Verification Event" */
export async function verifyStream(call: Call): Promise<Response> {
  const request = readVerificationRequest(withStreamId(call))
  await requestVerification(call.management, request, call.receiver)
  return emptyResponse(servingOf(call).statusFor.verification)
}
