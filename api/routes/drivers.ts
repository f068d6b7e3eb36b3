/** The retailer's own drivers: where they start, when they work, what fits in the vehicle. */
import { z } from 'zod'
import { putDriver } from '../../db/network'
import { findDriver, unknownNodes } from '../../db/views/network'
import { refuse } from '../../domain/refusals'
import { reachesDriver, reachesNode, type ApiKey } from '../auth'
import { may } from '../permissions'
import { refuseField } from '../problem'
import { ok, route } from '../route'
import { driverId } from '../schemas/fields'
import { driverAnswer, driverBody } from '../schemas/network'

const path = '/v1/drivers/{driverId}'
const tag = 'Network'

const getDriver = route({
  method: 'get',
  path,
  tag,
  summary: 'One driver',
  roles: may.readDrivers,
  params: z.object({ driverId: z.string() }),
  answers: { 200: driverAnswer },
  async run(ctx) {
    const driver = await findDriver(ctx.db, ctx.params.driverId)
    if (!driver || !maySee(ctx.key, driver)) throw refuse('driver.not_found')
    return ok(driver)
  },
})

/** A store sees the drivers who start from it. */
const maySee = (key: ApiKey, driver: { driverId: string; homeNodes: readonly string[] }): boolean =>
  reachesDriver(key, driver.driverId) && (key.role !== 'store' || driver.homeNodes.some((node) => reachesNode(key, node)))

const setDriver = route({
  method: 'put',
  path,
  tag,
  summary: 'Sets up a driver',
  roles: may.writeNetwork,
  params: z.object({ driverId }),
  body: driverBody,
  answers: { 200: driverAnswer, 201: driverAnswer },
  async run(ctx) {
    const { driverId: id } = ctx.params
    if (ctx.body.driverId !== undefined && ctx.body.driverId !== id) throw refuseField('/driverId', 'Must be the id in the path')
    const [unknown] = await unknownNodes(ctx.db, ctx.body.homeNodes)
    if (unknown !== undefined) {
      const pointer = `/homeNodes/${ctx.body.homeNodes.indexOf(unknown)}`
      throw refuse('node.unknown', { nodeId: unknown }, undefined, [{ pointer, message: 'This node is not known' }])
    }
    const fresh = await putDriver(ctx.db, { ...ctx.body, driverId: id }, ctx.actor)
    return { ...ok(await findDriver(ctx.db, id)), status: fresh ? 201 : 200 }
  },
})

export const driverRoutes = [getDriver, setDriver]
