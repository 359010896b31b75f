export { toFastify, type FastifyPlugin } from '@drawbridge/core/fastify'
