/** Shopify passes the conformance kit. */
import { passesTheKit } from './kit'
import { shopifyDoor } from './shopify-door'

passesTheKit(shopifyDoor)
