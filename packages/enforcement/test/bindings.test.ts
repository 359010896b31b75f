import { bindingContract } from './bindings-contract.ts'
import { serveExpress, serveFastify, serveFetch, serveHono } from './bindings-sites.ts'

const earlier = ['theme=dark']

bindingContract('Fetch', serveFetch)
bindingContract('Express', serveExpress, earlier)
bindingContract('Fastify', serveFastify, earlier)
bindingContract('Hono', serveHono, earlier)
