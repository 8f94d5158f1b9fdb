// `sluice plan`: does a site fit its line and its disk? Arithmetic on the configuration; no service is asked.

import { Option, type Command } from 'commander'
import { timetable, type Config } from '../config/config.ts'
import { readConfig } from '../config/read-config.ts'
import { parseCapacity, parseDuration, parseShare, parseSize } from '../config/units.ts'
import type { PaceAt } from '../plan/pace.ts'
import { planSite } from '../plan/plan.ts'
import type { Site } from '../plan/site.ts'
import { Timetable } from '../uplink/timetable.ts'
import { addExamples } from './examples.ts'
import { CommandError, EXIT } from './exit.ts'
import { addSettings, readSources } from './flags.ts'
import { formatAs, type Options } from './output.ts'
import { formatPlan } from './plan-text.ts'
import type { Shell } from './shell.ts'

const EXAMPLES = [
  'sluice plan                                      1,000 devices of the size they usually have, on this line',
  'sluice plan --devices 400 --interval 20s --size 180KB',
  'sluice plan --capacity 1Gbit --share 30% --disk 500GB --outage 24h',
  'sluice plan --per-minute 2 --hours 14.4 --from 06:00',
  'sluice plan -c /etc/sluice/sluice.yaml --json'
]

const NOTE = `
What is not given here comes from the configuration: --capacity, --share and --overhead are uplink's,
--disk is spool.limit, and an image is late after slo.target. It ends with 0 whether or not the site
fits: ask --json for "fits".
`

export function addPlan (program: Command, shell: Shell): void {
  const command = program.command('plan')
    .description('does a site fit its line and its disk, and what would make it fit; no service is needed')
  addExamples(command, EXAMPLES)
    .option('--devices <count>', 'how many send images', '1000')
    .addOption(new Option('--interval <duration>', 'from one image of a device to its next (30s)').conflicts('perMinute'))
    .option('--per-minute <count>', 'images of a device a minute, in place of --interval')
    .option('--size <size>', 'of an image', '250KB')
    .option('--hours <count>', 'in which images are taken, a day', '24')
    .option('--from <time>', 'when they begin', '00:00')
    .option('--capacity <rate>', 'what the line carries upwards')
    .option('--share <share>', 'how much of it uploads may take')
    .option('--overhead <share>', 'taken off for what TCP and IP add')
    .option('--disk <size>', 'what the spool may hold')
    .option('--outage <duration>', 'of the store, or of the line', '8h')
    .option('--json', 'every figure as JSON')
    .addHelpText('after', NOTE)
    .action((options: Options) => {
      const site = readSite(options, readConfig(readSources(options, shell)), Date.now())
      shell.print(formatAs(options, { site, ...planSite(site) }, () => formatPlan(site, planSite(site))))
    })
  addSettings(command)
}

/** Throws a CommandError for the first option that cannot be read. */
export function readSite (options: Options, { uplink, spool, slo }: Config, now: number): Site {
  const read = <Value>(name: string, { parse, form }: Reader<Value>): Value | undefined => {
    const text = options[name]
    if (typeof text !== 'string') return undefined
    const value = parse(text.trim())
    if (value !== undefined) return value
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    throw new CommandError(EXIT.usage, `${flag} ${JSON.stringify(text)} is ${form}`)
  }
  const perMinute = read('perMinute', PER_MINUTE)
  return {
    devices: read('devices', DEVICES) ?? 1000,
    intervalSeconds: perMinute === undefined ? read('interval', INTERVAL) ?? 30 : 60 / perMinute,
    imageBytes: read('size', SIZE) ?? 250_000,
    captureHours: read('hours', HOURS) ?? 24,
    captureFromHour: read('from', TIME) ?? 0,
    capacityBitsPerSecond: read('capacity', CAPACITY) ?? uplink.capacity,
    share: read('share', SHARE) ?? uplink.share,
    overhead: read('overhead', OVERHEAD) ?? uplink.overhead,
    spoolBytes: read('disk', SIZE) ?? spool.limit,
    outageSeconds: read('outage', OUTAGE) ?? 8 * 3600,
    targetSeconds: slo.targetMs / 1000,
    startAt: new Date(now).setHours(0, 0, 0, 0),
    allowanceAt: ['capacity', 'share', 'overhead'].some((name) => options[name] !== undefined) ? undefined : byTimetable(uplink)
  }
}

/** Where the configuration has one; a line that is given here is taken as it is, all day. */
function byTimetable (uplink: Config['uplink']): PaceAt | undefined {
  if (uplink.schedule.length === 0) return undefined
  const week = new Timetable(timetable(uplink))
  return (ms) => week.at(ms)
}

interface Reader<Value> {
  /** Undefined for what it is not. */
  readonly parse: (text: string) => Value | undefined
  readonly form: string
}

const DAY_MS = 86_400_000

const DEVICES: Reader<number> = {
  parse: (text) => /^\d{1,7}$/.test(text) ? within(Number(text), 1, Infinity) : undefined,
  form: 'not a number of devices; write it in digits, like 1000'
}
const INTERVAL: Reader<number> = {
  parse: (text) => inSeconds(text, 100, 30 * DAY_MS),
  form: 'not a time between two images; write it like 30s or 5m, from 100ms to 30d'
}
const PER_MINUTE: Reader<number> = {
  parse: (text) => /^\d+(\.\d+)?$/.test(text) ? within(Number(text), 0.001, 600) : undefined,
  form: 'not a number of images a minute; write it like 2 or 0.5, up to 600'
}
const SIZE: Reader<number> = {
  parse: (text) => within(parseSize(text), 1000, Infinity),
  form: 'not a size of 1KB or more; write it like 250KB or 20GB'
}
const HOURS: Reader<number> = {
  parse: (text) => /^\d+(\.\d+)? ?h?$/.test(text) ? within(parseFloat(text), 0.1, 24) : undefined,
  form: 'not a number of hours a day; write it like 14.4, from 0.1 to 24'
}
const TIME: Reader<number> = {
  parse: (text) => {
    const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text) ?? []
    return hours === undefined ? undefined : Number(hours) + Number(minutes) / 60
  },
  form: 'not a time of day; write it like 06:00'
}
const CAPACITY: Reader<number> = {
  parse: (text) => within(parseCapacity(text), 8000, Infinity),
  form: 'not a rate of 8kbit or more; write it like 200Mbit or 512kbit, or unlimited'
}
const SHARE: Reader<number> = {
  parse: (text) => within(parseShare(text), 0.0001, 1),
  form: 'not a share of the line; write it like 20%, from 0.01% to 100%'
}
const OVERHEAD: Reader<number> = {
  parse: (text) => within(parseShare(text), 0, 0.5),
  form: 'not a share of the line; write it like 5%, from 0% to 50%'
}
const OUTAGE: Reader<number> = {
  parse: (text) => inSeconds(text, 0, 30 * DAY_MS),
  form: 'not a duration; write it like 8h or 90m, up to 30d'
}

function inSeconds (text: string, least: number, most: number): number | undefined {
  const ms = within(parseDuration(text), least, most)
  return ms === undefined ? undefined : ms / 1000
}

function within (value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined
}
