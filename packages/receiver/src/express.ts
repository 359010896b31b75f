export { toNode, type NodeListener } from '@drawbridge/core/node'
