/** A file of orders passes the conformance kit. */
import { passesTheKit } from './kit'
import { bulkDoor } from './own-door'

passesTheKit(bulkDoor)
