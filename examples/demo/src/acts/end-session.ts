import type { Apps } from '../apps.ts'
import { expectStatus, signal } from '../timeline.ts'
import { browserOn, logIn, sidOn } from './person.ts'

/** Alice works; an administrator closes her session; the same cookie is refused. */
export async function endSession(apps: Apps): Promise<void> {
  const browser = browserOn(apps)
  const page = await logIn(browser, apps)
  expectStatus(page, 200, 'the page opens after the login')
  const does = ['revoke', { sid: sidOn(page), reason: 'Account closed' }] as const
  await signal(apps, { name: 'session-revoked', does })
  expectStatus(await browser.open(apps.saas), 401, 'the same cookie is refused')
  expectStatus(await logIn(browser, apps), 200, 'a new login works')
}
