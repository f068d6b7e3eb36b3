/** Records the history of every scenario (`npm run record-histories`). To be run when a change of the workflows is meant: old histories stay until no order of their kind is open. */
import { historyToJSON } from '@temporalio/common/lib/proto-utils'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { orderWorkflowId } from '../../domain/ids'
import { onItsOwnSystem, scenarios } from './scenarios'

/** Traces of failures name files; where they lay when they were recorded is nobody's business. */
const root = join(__dirname, '../..', '/')

const recording = process.env.RECORD === '1' ? it : it.skip

recording.each(scenarios.map((s) => [s.name, s] as const))('records %s', async (name, scenario) => {
  const history = await onItsOwnSystem(scenario, async (orderId, people, system) => {
    const { channel, channelOrderId } = await people.order(orderId)
    return system.client.workflow.getHandle(orderWorkflowId(channel, channelOrderId)).fetchHistory()
  })
  writeFileSync(join(__dirname, 'histories', `${name}.json`), `${historyToJSON(history).replaceAll(root, '')}\n`)
})
