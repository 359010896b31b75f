export { accessMeaning, type AccessMeaning, type Decision } from './access-meaning.ts'
export {
  PeerError,
  SetError,
  SharedSignalsError,
  StorageError,
  StreamError,
  type ErrorCode,
  type ErrorDetails,
  type SetErrorCode,
} from './errors.ts'
export { eventTime } from './event-time.ts'
export {
  checkPayload,
  type EventType,
  type Issue,
  type PayloadOf,
  type Validation,
} from './event-type.ts'
export { canonicalJson } from './json.ts'
export {
  indexText,
  laneKey,
  matches,
  principalKey,
  subjectKey,
  lookupTexts,
  subjectKeys,
  type MatchRule,
} from './match-subject.ts'
export { type Notice } from './notice.ts'
export {
  readPollRequest,
  type PollRequest,
  type PollResponse,
  type SetErrorReport,
} from './poll.ts'
export {
  readSet,
  setMediaType,
  setType,
  type SecurityEvent,
  type SetClaims,
} from './security-event-token.ts'
export {
  isStreamStatusValue,
  poll,
  push,
  readStatusRequest,
  readStreamRequest,
  readStreamUpdate,
  readVerificationRequest,
  type Delivery,
  type StreamConfiguration,
  type StreamRequest,
  type StreamStatus,
  type StreamStatusValue,
  type StreamUpdate,
  type VerificationRequest,
} from './stream.ts'
export {
  complex,
  email,
  isComplex,
  issSub,
  opaque,
  readSubject,
  subjectMembers,
  checkSubject,
  subjectOf,
  type ComplexSubject,
  type ComplexSubjectMembers,
  type EmailSubject,
  type IssSubSubject,
  type OpaqueSubject,
  type OtherSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
} from './subject.ts'
export { wellKnownUrl, type TransmitterConfiguration } from './transmitter-configuration.ts'
