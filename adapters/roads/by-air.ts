/** Ways as the straight line and the policy's factor make them: what an installation without a road server goes by. */
import type { Distances } from '../../activities/ports'
import { greatCircleMatrix, roadsOf } from '../../domain/delivery/routing/matrix'

export const byAir: Distances = { between: (places, pace) => Promise.resolve(greatCircleMatrix(places, roadsOf(pace))) }
