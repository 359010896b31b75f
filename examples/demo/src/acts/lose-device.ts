import type { Apps } from '../apps.ts'
import { expectRefused, expectStatus, signal } from '../timeline.ts'
import { browserOn, device, logIn } from './person.ts'

/**
 * The device fails its check: whoever works on it is cut off, a new login too, until it passes
 * again.
 */
export async function loseDevice(apps: Apps): Promise<void> {
  const browser = browserOn(apps)
  expectStatus(await logIn(browser, apps), 200, `the page opens on ${device}`)
  const report = async (compliant: boolean): Promise<void> => {
    const name = `device-compliance-change: ${compliant ? 'compliant' : 'not-compliant'}`
    await signal(apps, { name, does: ['devices', { device, compliant }] })
  }
  await report(false)
  expectRefused(await browser.open(apps.saas), 'the session is suspended')
  expectRefused(await logIn(browserOn(apps), apps), 'a new login on the same device too')
  await report(true)
  expectStatus(await browser.open(apps.saas), 200, 'the same cookie works again')
}
