import { conformsOver } from './conform.ts'
import { startSite, tcp } from './site.ts'

conformsOver('TCP', (t) => startSite(t, tcp))
