/** What a person can do with the server, step by step, ready to paste. */
export function instructions(issuer: string, token: string): string {
  const headers = `-H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json'`
  return `
  issuer  ${issuer}
  token   ${token}

  In another terminal:

  export TOKEN=${token}

  1. What the Transmitter offers
     curl -s ${issuer}/.well-known/ssf-configuration

  2. Create a stream that is polled, and note its "stream_id" and "endpoint_url"
     curl -s ${issuer}/ssf/streams ${headers} -d '{"events_requested":["https://schemas.openid.net/secevent/caep/event-type/session-revoked"],"delivery":{"method":"urn:ietf:rfc:8936"}}'
     export STREAM=…

  3. Ask for a verification event
     curl -s ${issuer}/ssf/verify ${headers} -d '{"stream_id":"'$STREAM'","state":"hello"}' -w '%{http_code}\\n'

  4. Emit an event
     curl -s ${issuer}/emit ${headers} -d '{"type":"session-revoked","subject":{"format":"email","email":"alice@idp.example"},"payload":{"reason_admin":{"en":"Account closed"}}}'

  5. Poll: both SETs come, each under its "jti"
     curl -s ${issuer}/ssf/poll/$STREAM ${headers} -d '{"returnImmediately":true}'

  6. Acknowledge them: they do not come again
     curl -s ${issuer}/ssf/poll/$STREAM ${headers} -d '{"returnImmediately":true,"ack":["…"]}'

  7. Delete the stream
     curl -s -X DELETE "${issuer}/ssf/streams?stream_id=$STREAM" -H "Authorization: Bearer $TOKEN" -w '%{http_code}\\n'

  Ctrl-C ends the server.
`
}
