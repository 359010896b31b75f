// The least Receiver: reads a body, answers 202. In a process of its own, so that it costs the sender nothing.
import { createServer } from 'node:http'

const server = createServer((request, response) => {
  request.resume().once('end', () => response.writeHead(202).end())
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
