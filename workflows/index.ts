/** What is registered with a worker: one workflow type per story. */
export { backTest } from './back-test'
export { order } from './order'
export { sweep } from './sweep'
