import type { catalogue } from '../bridge/metric-catalogue.ts'

/** Metrics that no panel and no rule asks for, and what they are for. */
export const unused: Partial<Record<keyof typeof catalogue, string>> = {
  configInfo: 'To compare by hand: two instances that should have one configuration have one hash.'
}
