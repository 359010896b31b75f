export { hasNodeSqlite, type DriverName, type SqliteStatement, type SqlValue } from './driver.ts'
export {
  openDatabase,
  OpenDatabaseError,
  type Database,
  type DatabaseOptions,
  type OpenFailure,
} from './open-database.ts'
