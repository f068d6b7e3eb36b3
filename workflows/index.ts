/** What is registered with a worker: one workflow type per story. */
export { backTest } from './back-test'
export { deliveryRun } from './delivery-run'
export { dispatch } from './dispatch'
export { order } from './order'
export { reOptimisation } from './re-optimisation'
export { sweep } from './sweep'
