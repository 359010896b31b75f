import { describe, expect, it } from '@jest/globals'
import { systemClock } from '@drawbridge/core'
import { createTimetable } from '../src/delivery/timetable.ts'
import { createWaiters, type Waiters } from '../src/delivery/waiters.ts'
import { manualClock } from '@drawbridge/testkit'
import { addStream, deliveryAtWork, rowOf } from './delivery-support.ts'

const never = (): AbortSignal => new AbortController().signal

describe('timetable', () => {
  it('calls in the order of time, whatever the order of the entries', async () => {
    const clock = manualClock(0)
    const timetable = createTimetable(clock)
    const called: number[] = []
    const times = Array.from({ length: 200 }, (_, n) => (n * 7919) % 1_000)
    for (const at of times) timetable.add(() => called.push(at), at)
    await clock.advance(500)
    expect(called).toEqual(times.filter((at) => at <= 500).toSorted((a, b) => a - b))
    await clock.advance(500)
    expect(called).toEqual(times.toSorted((a, b) => a - b))
  })

  it('calls nothing that was taken off, replaced or forgotten', async () => {
    const clock = manualClock(0)
    const timetable = createTimetable(clock)
    const called: string[] = []
    const off = (): void => void called.push('off')
    const later = (): void => void called.push(`later ${clock.now()}`)
    timetable.add(off, 10)
    timetable.add(later, 10)
    timetable.add(later, 50)
    timetable.delete(off)
    await clock.advance(100)
    expect(called).toEqual(['later 50'])
    timetable.add(off, 200)
    timetable.stop()
    timetable.add(off, 200)
    await clock.advance(1_000)
    expect(called).toEqual(['later 50'])
  })

  it('has one timer, whatever the number of entries', () => {
    let timers = 0
    const timetable = createTimetable({
      now: () => 0,
      sleep: (_, signal) => {
        timers++
        signal?.addEventListener('abort', () => timers--)
        return new Promise(() => undefined)
      },
    })
    const calls = Array.from({ length: 2_000 }, () => () => undefined)
    for (const [index, call] of calls.entries()) timetable.add(call, 10_000 - index)
    expect(timers).toBe(1)
    for (const call of calls) timetable.delete(call)
    expect(timers).toBe(0)
  })
})

describe('waiters', () => {
  const room = (): Waiters => createWaiters(createTimetable(systemClock))

  it('overlook no wake between looking for rows and waiting for them', async () => {
    const waiters = room()
    const seen = waiters.wakes
    waiters.wake()
    await waiters.wait(Infinity, seen, never())
    expect(waiters.wakes).toBe(seen + 1)
  })

  it('let nobody wait who has gone, or after the end', async () => {
    const waiters = room()
    await waiters.wait(Infinity, waiters.wakes, AbortSignal.abort())
    waiters.stop()
    await waiters.wait(Infinity, waiters.wakes, never())
    expect(waiters.isStopped).toBe(true)
  })

  it('are woken one at a time, the longest first', async () => {
    const waiters = room()
    const woken: number[] = []
    const wait = (n: number): Promise<unknown> =>
      waiters.wait(Date.now() + 60_000, waiters.wakes, never()).then(() => woken.push(n))
    const waits = [wait(1), wait(2), wait(3)]
    waiters.wake()
    await waits[0]
    expect(woken).toEqual([1])
    waiters.wake()
    await waits[1]
    expect(woken).toEqual([1, 2])
    waiters.stop()
    await waits[2]
  })

  it('wait no longer than they want', async () => {
    const clock = manualClock()
    const waiters = createWaiters(createTimetable(clock))
    let isOver = false
    void waiters.wait(clock.now() + 100, waiters.wakes, never()).then(() => (isOver = true))
    await clock.advance(99)
    expect(isOver).toBe(false)
    await clock.advance(1)
    expect(isOver).toBe(true)
  })
})

describe('2,000 polls that wait', () => {
  it('on one stream read the store once for an event, and one gets it', async () => {
    const work = await deliveryAtWork()
    const stream = await addStream(work.store, 'a')
    const answers: string[][] = []
    const polls = Array.from({ length: 2_000 }, async () => {
      const { sets } = await work.delivery.poll(stream, {}, never())
      if (Object.keys(sets).length > 0) answers.push(Object.keys(sets))
    })
    // In turn behind all of them: they wait when it is answered.
    await work.delivery.poll(stream, { returnImmediately: true }, never())
    let reads = 0
    const { readRows } = work.store
    Object.assign(work.store, {
      readRows: (...wanted: Parameters<typeof readRows>) => {
        reads++
        return readRows(...wanted)
      },
    })
    await work.append(rowOf('a', 'one'), rowOf('a', 'two'))
    while (answers.length < 1) await new Promise((resolve) => void setImmediate(resolve))
    expect(answers).toEqual([['one', 'two']])
    expect(reads).toBeLessThan(10)
    await work.delivery.stop()
    await Promise.all(polls)
    expect(answers).toHaveLength(1)
  })

  it('share a backlog: who gets a part wakes the next', async () => {
    const work = await deliveryAtWork({}, { poll: { maxEvents: 10 } })
    const stream = await addStream(work.store, 'a')
    const polls = Array.from({ length: 10 }, () => work.delivery.poll(stream, {}, never()))
    await work.delivery.poll(stream, { returnImmediately: true }, never())
    await work.append(...Array.from({ length: 100 }, (_, n) => rowOf('a', `n ${n}`)))
    const answers = await Promise.all(polls)
    const jtis = answers.flatMap(({ sets }) => Object.keys(sets))
    expect(new Set(jtis).size).toBe(100)
    await work.delivery.stop()
  })

  it('give what they could not take to the next', async () => {
    const work = await deliveryAtWork()
    const stream = await addStream(work.store, 'a')
    const gone = new AbortController()
    const first = work.delivery.poll(stream, {}, gone.signal)
    const second = work.delivery.poll(stream, {}, never())
    await work.delivery.poll(stream, { returnImmediately: true }, never())
    const appended = work.append(rowOf('a', 'one'))
    gone.abort()
    await appended
    await first
    expect(Object.keys((await second).sets)).toEqual(['one'])
    await work.delivery.stop()
  })
})
