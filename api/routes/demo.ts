/** Where the demo's other parts listen. Exists only when `npm start` set this process up. */
import { z } from 'zod'
import { refuse } from '../../domain/refusals'
import { may } from '../permissions'
import { ok, route } from '../route'

const getDemo = route({
  method: 'get',
  path: '/v1/demo',
  tag: 'Demo',
  summary: 'Addresses of Temporal and of the simulators',
  roles: may.any,
  answers: { 200: z.object({ temporalAddress: z.string(), temporalUi: z.string(), namespace: z.string(), simulators: z.object({ payments: z.string(), carriers: z.string() }) }) },
  async run({ deps }) {
    if (!deps.demo) throw refuse('route.unknown')
    return ok(deps.demo)
  },
})

export const demoRoutes = [getDemo]
