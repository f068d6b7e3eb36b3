/** What an order may be sent by: everything that the connected carriers sell. */
import type { Carrier } from '../activities/ports'

export const servicesOf = (carriers: readonly Pick<Carrier, 'services'>[]): string[] => [...new Set(carriers.flatMap((carrier) => carrier.services().map((offered) => offered.service)))]
