import type { Scope } from './authorize.ts'
import type { Call, PublicCall } from './call.ts'
import { addSubject } from './add-subject.ts'
import { createStream } from './create-stream.ts'
import { deleteStream } from './delete-stream.ts'
import { pollStream } from './poll-stream.ts'
import { readJwks } from './read-jwks.ts'
import { readMetadata } from './read-metadata.ts'
import { readResourceMetadata } from './protected-resource.ts'
import { readStatus } from './read-status.ts'
import { readStreams } from './read-streams.ts'
import { removeSubject } from './remove-subject.ts'
import { replaceStream } from './replace-stream.ts'
import { updateStatus } from './update-status.ts'
import { updateStream } from './update-stream.ts'
import { verifyStream } from './verify-stream.ts'

/** One row of the table: who may call an action, and the action. */
export type Route =
  | { readonly scope?: undefined; readonly action: (call: PublicCall) => Response }
  | { readonly scope: Scope; readonly action: (call: Call) => Response | Promise<Response> }

/** The API of a Transmitter: method and name of each action. */
export const routes: Readonly<Record<string, Route>> = {
  'GET /metadata': { action: readMetadata },
  'GET /resource': { action: readResourceMetadata },
  'GET /jwks': { action: readJwks },
  'POST /streams': { scope: 'ssf.manage', action: createStream },
  'GET /streams': { scope: 'ssf.read', action: readStreams },
  'PATCH /streams': { scope: 'ssf.manage', action: updateStream },
  'PUT /streams': { scope: 'ssf.manage', action: replaceStream },
  'DELETE /streams': { scope: 'ssf.manage', action: deleteStream },
  'GET /status': { scope: 'ssf.read', action: readStatus },
  'POST /status': { scope: 'ssf.manage', action: updateStatus },
  'POST /subjects:add': { scope: 'ssf.manage', action: addSubject },
  'POST /subjects:remove': { scope: 'ssf.manage', action: removeSubject },
  'POST /verify': { scope: 'ssf.manage', action: verifyStream },
  // A poll acknowledges, and what is acknowledged is gone: it changes the stream.
  'POST /poll': { scope: 'ssf.manage', action: pollStream },
}
