// Express calls what `node:http` calls, and `next` besides: one binding serves both.
export { toNode, type NodeListener } from '@drawbridge/core/node'
