/** A sale at a till passes the conformance kit. */
import { passesTheKit } from './kit'
import { tillDoor } from './own-door'

passesTheKit(tillDoor)
