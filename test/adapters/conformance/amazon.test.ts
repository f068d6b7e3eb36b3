/** Amazon passes the conformance kit. */
import { passesTheKit } from './kit'
import { amazonDoor } from './amazon-door'

passesTheKit(amazonDoor)
