import { describe, expect, it } from '@jest/globals'
import { enforcementMetrics } from '@drawbridge/enforcement'
import { opaque } from '@drawbridge/schema'
import { DeviceComplianceChange, SessionRevoked } from '@drawbridge/schema/caep'
import {
  alice,
  aliceSince,
  compliant,
  idp,
  laptop,
  noon,
  notCompliant,
  revoked,
  startedNode,
} from './signals.ts'

describe('enforcementMetrics', () => {
  it('counts signals, denials and hooks', async () => {
    const { enforcement } = await startedNode({
      sessions: () => [],
      hooks: { suspend: () => Promise.reject(new Error('no')) },
      hookRetry: { attempts: 1 },
    })
    const metrics = enforcementMetrics(enforcement.events)
    await enforcement.apply(notCompliant(laptop, { jti: 'j' }))
    await enforcement.apply(notCompliant(laptop, { jti: 'j' }))
    enforcement.check(aliceSince(0))
    await enforcement.apply(compliant(laptop, { at: noon + 1 }))
    await enforcement.apply(revoked({ tenant: opaque('t') }))
    await enforcement.stop()
    const type = DeviceComplianceChange.uri
    expect(metrics.text().split('\n')).toEqual(
      expect.arrayContaining([
        `drawbridge_signals_total{type="${type}",iss="${idp}",effect="suspend",outcome="taken"} 1`,
        `drawbridge_signals_total{type="${type}",iss="${idp}",effect="suspend",outcome="unchanged"} 1`,
        `drawbridge_signals_total{type="${type}",iss="${idp}",effect="suspend",outcome="lifted"} 1`,
        'drawbridge_requests_denied_total{outcome="refuse",effect="suspend"} 1',
        'drawbridge_hooks_failed_total{name="suspend",given_up="true"} 1',
        'drawbridge_signals_unmatched_total 1',
        'drawbridge_signals_outside_mandate_total{reason="tenant-wide"} 1',
      ]),
    )
  })
  it('gives dwell times as a histogram, once for each signal that changed something', async () => {
    const { enforcement } = await startedNode()
    const metrics = enforcementMetrics(enforcement.events)
    const signal = revoked(alice, { at: noon, iat: noon + 50 })
    await enforcement.apply(signal)
    await enforcement.apply(signal)
    const labels = (from: string) => `from="${from}",type="${SessionRevoked.uri}",iss="${idp}"`
    const text = metrics.text()
    expect(text).toContain(`dwell_seconds_bucket{${labels('event')},le="10"} 0\n`)
    expect(text).toContain(`dwell_seconds_bucket{${labels('event')},le="60"} 1\n`)
    expect(text).toContain(`dwell_seconds_sum{${labels('event')}} 60\n`)
    expect(text).toContain(`dwell_seconds_bucket{${labels('issued')},le="10"} 1\n`)
    expect(text).toContain(`dwell_seconds_bucket{${labels('received')},le="0.001"} 1\n`)
    expect(text).toContain(`dwell_seconds_bucket{${labels('received')},le="+Inf"} 1\n`)
    expect(text).toContain(`dwell_seconds_count{${labels('received')}} 1\n`)
  })
  it('keeps a peer’s text inside of its quotes, and counts no more when it is stopped', async () => {
    const { enforcement } = await startedNode()
    const metrics = enforcementMetrics(enforcement.events)
    const iss = 'https://a"b\\c\n.example'
    await enforcement.apply(revoked(alice, { iss }))
    const before = metrics.text()
    expect(before).toContain('iss="https://a\\"b\\\\c\\n.example"')
    metrics.stop()
    await enforcement.apply(revoked(alice, { at: noon + 1 }))
    expect(metrics.text()).toBe(before)
  })
})
