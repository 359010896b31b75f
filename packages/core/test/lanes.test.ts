import { describe, expect, it } from '@jest/globals'
import { createLanes } from '@drawbridge/core'

describe('createLanes', () => {
  it('runs one lane in order, over failures too, and lets others go on meanwhile', async () => {
    const lanes = createLanes()
    const log: string[] = []
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    const first = lanes.run('a', async () => {
      await gate
      log.push('a1')
      throw new Error('it fails')
    })
    const second = lanes.run('a', () => log.push('a2'))
    await lanes.run('b', () => log.push('b1'))
    open()
    await expect(first).rejects.toThrow('it fails')
    await second
    expect(log).toEqual(['b1', 'a1', 'a2'])
  })

  it('is idle when all work is over, also what was added meanwhile', async () => {
    const lanes = createLanes()
    const log: string[] = []
    void lanes.run('a', () => void lanes.run('a', () => void log.push('later')))
    await lanes.idle()
    expect(log).toEqual(['later'])
    await lanes.idle()
  })

  it('settles as the work does', async () => {
    const lanes = createLanes()
    expect(await lanes.run('a', () => 1)).toBe(1)
    await expect(lanes.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  })
})
