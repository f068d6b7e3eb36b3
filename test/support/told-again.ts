/** After a story: the workflows of its orders, open or not, can be told again from their histories. Whoever is not would stop for good where a worker takes it up anew. */
import { Worker } from '@temporalio/worker'
import { orderWorkflowId } from '../../domain/ids'
import type { System } from './system'

export async function expectToldAgain({ db, client }: System): Promise<void> {
  const orders = await db<{ channel: string; channel_order_id: string }>('orders').select('channel', 'channel_order_id').whereIn('order_id', db('workflow_starts').whereNotNull('done_at').select('order_id'))
  const ids = orders.map((o) => orderWorkflowId(o.channel, o.channel_order_id))
  const histories = await Promise.all(ids.map(async (workflowId) => ({ workflowId, history: await client.workflow.getHandle(workflowId).fetchHistory() })))
  const failed: string[] = []
  const told = Worker.runReplayHistories({ workflowBundle: { codePath: process.env.TEST_WORKFLOW_BUNDLE! } }, histories)
  for await (const { workflowId, error } of told) if (error) failed.push(`${workflowId}: ${error.message}`)
  expect(failed).toEqual([])
}
