import { conformsOver } from './conform.ts'
import { startSite } from './site.ts'
import { webSocket } from './websocket.ts'

conformsOver('WebSocket', (t) => startSite(t, webSocket))
