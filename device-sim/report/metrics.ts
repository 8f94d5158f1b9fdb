// What a run looks like to Prometheus while it lasts.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Gauge, Registry } from 'prom-client'
import { SimulatorError } from '../errors.ts'
import type { Progress } from './report.ts'

export interface Metrics {
  readonly port: number
  record (progress: Progress): void
  close (): void
}

/** On 127.0.0.1, at /metrics; port 0 takes any free one. */
export async function startMetrics (portText: string): Promise<Metrics> {
  const port = Number(portText)
  if (!/^\d+$/.test(portText) || port > 65_535) {
    throw new SimulatorError('USAGE', `--metrics-port: wanted a port of 0 to 65535, got "${portText}"`)
  }
  const registers = new Registry()
  const gauge = (name: string, help: string): Gauge => new Gauge({ name: `simulator_${name}`, help, registers: [registers] })
  const connected = gauge('devices_connected', 'Devices that are connected.')
  const images = new Gauge({
    name: 'simulator_images', help: 'Images by how far they came.', labelNames: ['state'], registers: [registers]
  })
  const stored = gauge('objects_stored', 'Objects new in the store since the start.')
  const puback = new Gauge({
    name: 'simulator_puback_seconds',
    help: 'From the planned capture to the PUBACK, over the whole run.',
    labelNames: ['quantile'],
    registers: [registers]
  })
  const lag = gauge('lag_p99_seconds', 'How late the simulator itself is.')
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end()
      return
    }
    void registers.metrics().then((text) => response.setHeader('content-type', registers.contentType).end(text))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening').catch((cause: unknown) => {
    throw new SimulatorError('UNAVAILABLE', `--metrics-port: 127.0.0.1:${port} cannot be had (${String(cause)}); choose another`)
  })
  return {
    port: (server.address() as AddressInfo).port,
    record (progress) {
      const { captured, sent, acknowledged, dropped, unfinished } = progress.counts
      connected.set(progress.connected)
      const states = { captured, sent, acknowledged, dropped, unfinished }
      for (const [state, count] of Object.entries(states)) images.set({ state }, count)
      if (progress.stored !== undefined) stored.set(progress.stored)
      const { p50, p90, p99 } = progress.fromPlan
      for (const [quantile, ms] of [['0.5', p50], ['0.9', p90], ['0.99', p99]] as const) puback.set({ quantile }, ms / 1000)
      lag.set(progress.lag.p99 / 1000)
    },
    close () {
      server.close()
      server.closeAllConnections()
    }
  }
}
