/** `node temporal-download.mjs <folder> <version>`: lets Temporal's SDK download its command line into a folder. A process of its own, so that a download that hangs can be ended. */
import { TestWorkflowEnvironment } from '@temporalio/testing'
import { Runtime } from '@temporalio/worker'

const [folder, version] = process.argv.slice(2)
Runtime.install({ logger: { log() {}, trace() {}, debug() {}, info() {}, warn() {}, error() {} } })
const server = await TestWorkflowEnvironment.createLocal({ server: { executable: { type: 'cached-download', downloadDir: folder, version } } })
await server.teardown()
console.log('downloaded')
