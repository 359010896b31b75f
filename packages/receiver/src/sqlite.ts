export { sqliteInbox, type SqliteInboxOptions } from './handling/sqlite-inbox.ts'
