import { emptyResponse } from '@drawbridge/core'
import { readRemoveSubjectRequest } from '@drawbridge/schema'
import { changeSubject } from '../streams/change-subject.ts'
import { servingOf } from './as-served.ts'
import type { Call } from './call.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Removing a Subject" */
export async function removeSubject(call: Call): Promise<Response> {
  const { management, receiver } = call
  const request = readRemoveSubjectRequest(withStreamId(call))
  await changeSubject(management, request, { receiver, wanted: 'removed' })
  return emptyResponse(servingOf(call).statusFor.removeSubject)
}
