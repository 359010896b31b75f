import { emptyResponse } from '@drawbridge/core'
import { readAddSubjectRequest } from '@drawbridge/schema'
import { changeSubject } from '../streams/change-subject.ts'
import type { Call } from './call.ts'
import { withStreamId } from './required-stream-id.ts'

/** @see OpenID SSF 1.0, "Adding a Subject to a Stream" */
export async function addSubject(call: Call): Promise<Response> {
  const { management, receiver } = call
  const request = readAddSubjectRequest(withStreamId(call))
  await changeSubject(management, request, { receiver, wanted: 'added' })
  return emptyResponse(200)
}
