// `npm run bench`: the figures of the README, measured on this machine; each run is kept in bench/results/. After `--`:
//   --only PART           of intake, end-to-end, verified, drain, start, idle, pick, site; several with commas;
//                         outage, identity, flat, steady, soak and disk run by name alone
//   --rounds N            of each peer: 3
//   --count N             images in a round: 4,000
//   --devices N,N         of the intake: 16, 100, 1,000 and 2,000; more than 100 in one round only
//   --waiting N,N         images on disk at a start and for flat: 1,000, 20,000 and 100,000
//   --connections N       that idle, and that come back with identity: 5,000; of flat the most, beside 100 and 1,000
//   --seconds N           of the site, of the outage and of each case of steady: 180
//   --minutes N           of the soak: 30
//   --gigabytes N         of the backlog that drains in steady and disk: 5
//   --against DIR         another checkout, built: what has peers is measured with the two, and no other
//   --profile             flame graphs instead of all this, of the intake and of the whole way
//   --json                prints what is kept, not tables
//   --from FILE           prints a run that was kept, and measures nothing
//   --readme FILE         puts the tables between their marks in a file: `<!-- bench:PART -->`, `<!-- /bench:PART -->`

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { benchDiskUse } from './disk-use.ts'
import { benchDrain } from './drain.ts'
import { benchEndToEnd } from './end-to-end.ts'
import { benchFlat } from './flat.ts'
import { benchIdentity } from './identity.ts'
import { benchIdle } from './idle.ts'
import { benchIntake } from './intake.ts'
import { DO_IT_YOURSELF } from './peers/do-it-yourself.ts'
import { MOSQUITTO } from './peers/mosquitto.ts'
import { RABBITMQ } from './peers/rabbitmq.ts'
import { SLUICE, sluiceIn } from './peers/sluice.ts'
import { benchOutage } from './outage.ts'
import { benchPick } from './pick.ts'
import { profileStages } from './profile.ts'
import { beginResults, keepResults, nameFile, readCpuTicks, type Results } from './results.ts'
import { benchSite } from './site.ts'
import { benchSoak } from './soak.ts'
import { benchStart } from './start.ts'
import { benchSteady } from './steady.ts'
import { fillIn, formatResults } from './tables.ts'
import { benchVerified } from './verified.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    count: { type: 'string', default: '4000' },
    devices: { type: 'string', default: '16,100,1000,2000' },
    waiting: { type: 'string', default: '1000,20000,100000' },
    connections: { type: 'string', default: '5000' },
    seconds: { type: 'string', default: '180' },
    minutes: { type: 'string', default: '30' },
    gigabytes: { type: 'string', default: '5' },
    against: { type: 'string' },
    profile: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    from: { type: 'string' },
    readme: { type: 'string' }
  }
})
/** Devices that publish while the main thread is drawn. */
const PROFILE_DEVICES = 100
const parts = values.only?.split(',')
const wants = (name: string): boolean => parts === undefined || parts.includes(name)
const [rounds, count, devices] = [Number(values.rounds), Number(values.count), readNumbers(values.devices)]

const results = values.from === undefined ? await run() : readResults(values.from)
console.log(values.json ? JSON.stringify(results) : formatResults(results))
if (values.readme !== undefined) writeFileSync(values.readme, fillIn(readFileSync(values.readme, 'utf8'), results))

async function run (): Promise<Results> {
  const results = beginResults()
  const before = readCpuTicks()
  if (values.profile) {
    results.profile = await profileStages(PROFILE_DEVICES, count, (ending) => nameFile(results, ending))
  }
  if (!values.profile) await measure(results)
  const after = readCpuTicks()
  results.stolenShare = (after.stolen - before.stolen) / Math.max(1, after.wanted - before.wanted)
  const flames = results.profile?.map(({ file }) => file).join(' and ')
  console.error(`kept in ${keepResults(results)}${flames === undefined ? '' : `; the flame graphs are ${flames}`}`)
  return results
}

/** The first of the peers is what is measured, the second what ratios are taken against. */
async function measure (results: Results): Promise<void> {
  const other = values.against === undefined ? undefined : [SLUICE, sluiceIn(values.against)]
  const brokers = other ?? [SLUICE, RABBITMQ, MOSQUITTO]
  if (wants('intake')) {
    results.intake = []
    for (const [nth, number] of devices.entries()) {
      const round = { rounds: number > 100 ? 1 : rounds, withDisk: nth === 0 && other === undefined }
      results.intake.push(...await benchIntake(brokers, { ...round, devices: number, count }))
    }
  }
  if (wants('end-to-end')) {
    results.endToEnd = await benchEndToEnd(other ?? [SLUICE, DO_IT_YOURSELF], { devices: 50, count, rounds })
  }
  if (wants('verified')) results.verified = await benchVerified(50, count)
  if (wants('drain')) results.drain = await benchDrain(count)
  if (wants('start')) {
    results.start = []
    for (const waiting of readNumbers(values.waiting)) results.start.push(...await benchStart(waiting))
  }
  if (wants('idle')) results.idle = await benchIdle(brokers, Number(values.connections))
  if (wants('pick')) results.pick = await benchPick([1000, 100_000, 1_000_000])
  const site = { devices: 1000, seconds: Number(values.seconds), bytes: 250_000 }
  if (wants('site')) results.site = await benchSite(site)
  if (parts?.includes('outage') === true) results.outage = await benchOutage(site)
  if (parts?.includes('identity') === true) {
    results.identity = await benchIdentity({ devices: Number(values.connections), count, rounds })
  }
  await measureLasting(results)
}

/** What takes long, and is asked for by name. */
async function measureLasting (results: Results): Promise<void> {
  const bytes = 250_000
  const [fleet, backlogImages] = [{ devices: 1000, bytes }, Math.round(Number(values.gigabytes) * 1e9 / bytes)]
  if (parts?.includes('flat') === true) {
    const idle = [100, 1000, Number(values.connections)]
    results.flat = await benchFlat({ rounds, count, waiting: readNumbers(values.waiting), idle })
  }
  if (parts?.includes('steady') === true) {
    const imagesPerSecond = fleet.devices * 2 / 60
    results.steady = await benchSteady({ ...fleet, imagesPerSecond, seconds: Number(values.seconds), backlogImages })
  }
  if (parts?.includes('soak') === true) {
    results.soak = await benchSoak({ ...fleet, imagesPerSecond: 200, minutes: Number(values.minutes) })
  }
  if (parts?.includes('disk') === true) results.disk = await benchDiskUse(backlogImages, bytes)
}

function readNumbers (list: string): number[] {
  return list.split(',').map(Number)
}

function readResults (file: string): Results {
  return JSON.parse(readFileSync(file, 'utf8')) as Results // keepResults wrote it
}
