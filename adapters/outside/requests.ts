/** Requests to addresses that somebody else has named: to checked ones only, over connections that are kept. Redirects are not followed. */
import { request as requestHttp, Agent as HttpAgent, type ClientRequest, type RequestOptions } from 'node:http'
import { request as requestHttps, Agent as HttpsAgent } from 'node:https'
import { checkedLookup, checkLiteral, isPlain, readDestination, type DestinationSettings } from './destination'

export interface OutsideRequests {
  /** @throws ForbiddenDestination; where a name leads, the request's own error says */
  open(url: string, options: Pick<RequestOptions, 'method' | 'headers' | 'signal'>): ClientRequest
  close(): void
}

export function outsideRequests(settings: DestinationSettings): OutsideRequests {
  const connections = { keepAlive: true, maxFreeSockets: 64 }
  const agents = {
    plain: new HttpAgent({ ...connections, lookup: checkedLookup({ ...settings, plain: true }) }),
    encrypted: new HttpsAgent({ ...connections, lookup: checkedLookup({ ...settings, plain: false }) }),
  }
  return {
    open: (text, options) => {
      const url = readDestination(text, settings)
      checkLiteral(url, settings)
      return isPlain(url) ? requestHttp(url, { ...options, agent: agents.plain }) : requestHttps(url, { ...options, agent: agents.encrypted })
    },
    close: () => Object.values(agents).forEach((agent) => agent.destroy()),
  }
}
