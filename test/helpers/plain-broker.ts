import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { Aedes, type Client } from 'aedes'

/** An image PUBLISH as the broker got it; `takes` lets its PUBACK go. */
export interface Publication {
  readonly client: Client
  readonly topic: string
  readonly payload: Buffer
}

/** A plain Aedes on a free port: a PUBLISH has its PUBACK once `take` resolves, and a cut where it rejects. */
export async function startPlainBroker (
  t: TestContext, take: (publication: Publication) => Promise<void> | void = () => {},
  tls?: { readonly cert: Buffer, readonly key: Buffer }
): Promise<{ readonly port: number }> {
  const aedes = new Aedes({
    authorizePublish: (client, { topic, payload }, done) => {
      if (client === null) return done(null)
      const publication = { client, topic, payload: Buffer.from(payload) }
      Promise.resolve(publication).then(take)
        .then(() => done(null), (cause: unknown) => done(cause as Error))
    }
  })
  await aedes.listen()
  const server = tls === undefined ? createServer(aedes.handle) : createTlsServer(tls, aedes.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(async () => {
    await new Promise<void>((resolve) => { aedes.close(resolve) })
    server.close()
  })
  return { port: (server.address() as AddressInfo).port }
}
