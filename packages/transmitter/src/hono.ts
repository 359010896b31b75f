export { toHono, type HonoMiddleware } from '@drawbridge/core/hono'
