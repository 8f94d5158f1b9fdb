import type { Address, Config } from './config.ts'

/** Where devices connect. */
export interface MqttListener {
  readonly path: string
  readonly at: Address
  readonly isTls: boolean
  /** Its clients have certificates. */
  readonly isMutual: boolean
}

export function mqttListeners ({ listen, tls, ws }: Config['mqtt']): readonly MqttListener[] {
  const clear = [['mqtt.listen', listen], ['mqtt.ws.listen', ws.listen]] as const
  const safe = [['mqtt.tls.listen', tls], ['mqtt.ws.tlsListen', ws.tls]] as const
  return [
    ...clear.flatMap(([path, at]) => at === undefined ? [] : [{ path, at, isTls: false, isMutual: false }]),
    ...safe.flatMap(([path, files]) => files === undefined
      ? []
      : [{ path, at: files.listen, isTls: true, isMutual: files.clientCa !== undefined }])
  ]
}
