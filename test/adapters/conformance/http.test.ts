/** A single order by HTTP passes the conformance kit. */
import { passesTheKit } from './kit'
import { httpDoor } from './own-door'

passesTheKit(httpDoor)
