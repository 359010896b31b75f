export {
  accessMeaning,
  endsGrants,
  isFinal,
  accessMeanings,
  type AccessMeaning,
  type AccessMeaningRow,
  type Decision,
  type DecisionByMember,
} from './access-meaning.ts'
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
export { eventTime } from './sets/event-time.ts'
export {
  checkPayload,
  type EventSubjects,
  type EventType,
  type Issue,
  type PayloadOf,
  type Validation,
} from './event-type.ts'
export { canonicalJson, isObject } from './json.ts'
export { readJson } from './json-text.ts'
export { type Notice } from './sets/notice.ts'
export {
  readPollRequest,
  readPollResponse,
  type PollRequest,
  type PollResponse,
  type SetErrorReport,
} from './poll.ts'
export { readSet, type ReadSetRules, type SeveralEvents } from './sets/read-set.ts'
export {
  setMediaType,
  setType,
  type SecurityEvent,
  type SecurityEventToken,
  type SetClaims,
} from './sets/security-event-token.ts'
export {
  createProfile,
  type Demand,
  type ProfileDefinition,
  type WriteRule,
} from './profiles/create-profile.ts'
export { type Profile, type ProfileTolerances, type ReadContext } from './profiles/profile.ts'
export { type DiscoveryPlace, type ProfileDiscovery } from './profiles/discovery.ts'
export { type ProfileServing, type ServingDefinition, type StatusFor } from './profiles/serving.ts'
export { inEvents, type Claims, type Tolerance } from './profiles/tolerance.ts'
export {
  poll,
  push,
  readStreamConfiguration,
  type Delivery,
  type DeliveryRequest,
  type ReceiverSupplied,
  type StreamConfiguration,
  type StreamStatus,
  type StreamStatusValue,
  type TransmitterSupplied,
} from './stream-configuration.ts'
export {
  isStreamStatusValue,
  readStatusRequest,
  readStreamRequest,
  readStreamUpdate,
  readVerificationRequest,
  type StreamUpdate,
  type VerificationRequest,
} from './stream-requests.ts'
export {
  readAddSubjectRequest,
  readRemoveSubjectRequest,
  type AddSubjectRequest,
  type RemoveSubjectRequest,
} from './subject-requests.ts'
export {
  compareSpecVersions,
  issuerOfWellKnownUrl,
  readTransmitterConfiguration,
  wellKnownUrl,
  type TransmitterConfiguration,
} from './transmitter-configuration.ts'
export {
  canonicalEmail,
  canonicalPhoneNumber,
  createCanonical,
  type Canonical,
  type IssuerAliases,
} from './subjects/canonical-subject.ts'
export { matches, type MatchRule } from './subjects/match-subject.ts'
export {
  fileSubject,
  lookupSubject,
  type FiledSubject,
  type StreamMatchRule,
  type SubjectLookup,
} from './subjects/subject-index.ts'
export {
  identifierFormats,
  type IdentifierFormat,
  type IdentifierFormats,
  type MemberCheck,
} from './subjects/identifier-formats.ts'
export {
  checkSubject,
  checkWrittenSubject,
  predefinedMembers,
  readSubject,
  subjectOf,
  unprocessedMember,
} from './subjects/read-subject.ts'
export { checkEventSubject } from './subjects/check-event-subject.ts'
export {
  indexTexts,
  laneKey,
  lookupTexts,
  principalKey,
  subjectKey,
  subjectKeys,
} from './subjects/subject-keys.ts'
export {
  account,
  aliases,
  complex,
  did,
  email,
  ipAddresses,
  isComplex,
  namesOf,
  issSub,
  jwtId,
  opaque,
  phoneNumber,
  samlAssertionId,
  scim,
  subjectMembers,
  uri,
  type AccountSubject,
  type AliasesSubject,
  type ComplexSubject,
  type ComplexSubjectInput,
  type ComplexSubjectMembers,
  type DidSubject,
  type EmailSubject,
  type IpAddressesSubject,
  type IssSubSubject,
  type JwtIdSubject,
  type OpaqueSubject,
  type OtherSubject,
  type PhoneNumberSubject,
  type SamlAssertionIdSubject,
  type ScimSubject,
  type Subject,
  type SubjectIdentifier,
  type SubjectInput,
  type UriSubject,
} from './subjects/subject.ts'
export {
  defineEventType,
  type EventTypeDefinition,
  type StandardIssue,
  type StandardResult,
  type StandardSchema,
} from './define-event-type.ts'
export { isEventOf, type EventOf } from './event-of.ts'
export { type KnownEvent } from './known-event.ts'
