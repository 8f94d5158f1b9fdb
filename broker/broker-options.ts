import type { BrokerLimits } from './limits.ts'
import type { ListenerOptions } from './listeners.ts'
import type { SysOptions } from './sys-topics.ts'

export interface BrokerOptions extends ListenerOptions {
  readonly topicPrefix: string
  /** Judged on the declared length, before the payload is read. */
  readonly packetBytesMax: number
  /** Sockets, whether they have sent CONNECT or not. */
  readonly connectionsMax: number
  readonly limits?: Partial<BrokerLimits>
  /** Without it there is no $SYS/broker/. */
  readonly sys?: SysOptions
}
