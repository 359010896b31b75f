// Runs the suite on other releases of Node, each from its package of the name "node".
//   npm run test:nodes                        22, 24 and 26, everything
//   npm run test:nodes -- 24 packages/core    some of it
import path from 'node:path'
import { run } from './run.mjs'

const isVersion = (argument) => /^\d+(\.\d+)*$/.test(argument)
const given = process.argv.slice(2)
const versions = given.some(isVersion) ? given.filter(isVersion) : ['22', '24', '26']
const patterns = given
  .filter((argument) => !isVersion(argument))
  .map((text) => JSON.stringify(text))
const jest = 'node --experimental-vm-modules node_modules/jest/bin/jest.js'
const root = path.resolve(import.meta.dirname, '..')

const built = await run('npm run build --silent', { cwd: root })
if (built.code !== 0) {
  console.log(built.output)
  process.exit(1)
}
for (const version of versions) {
  const suite = `echo "Node $(node -v)"; ${jest} ${patterns.join(' ')}`
  const command = `npx --yes --package=node@${version} -c '${suite}'`
  const { code, output } = await run(command, { cwd: root, timeoutMs: 900_000 })
  const [node = `Node ${version}`] = /^Node v.*$/m.exec(output) ?? []
  const [tests = 'no tests'] = /^Tests: .*$/m.exec(output) ?? []
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${node}  ${tests}`)
  if (code !== 0) {
    console.log(output)
    process.exitCode = 1
  }
}
