// `sluice images`: what became of them, and a second chance for those that failed.

import { Option, type Command } from 'commander'
import { formatBytes } from '../amounts.ts'
import type { ImageJson } from '../http/image-json.ts'
import type { ExplainedImage } from '../http/images.ts'
import { IMAGE_STATES } from '../http/image-query.ts'
import { addApi, createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { CommandError, EXIT } from './exit.ts'
import { addFilters, checkTarget, dropMany, retryMany } from './images-many.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'
import { formatTable } from './table.ts'

const EXAMPLES = [
  'sluice images list --state failed',
  'sluice images list --device cam-1 --limit 20',
  'sluice images show cam-1:20261103-060000',
  'sluice images retry cam-1:20261103-060000',
  'sluice images retry --all --dry-run',
  'sluice images retry --reason too_large --device cam-1',
  'sluice images delete --reason corrupt --confirm 12',
  'sluice images prioritize cam-1:20261103-060000'
]

const NAME = 'imageId, or deviceId:imageId'

/** `GET /api/v1/images`. */
interface ImagesJson {
  readonly images: readonly ImageJson[]
  /** The path of the next page, where there is one. */
  readonly next?: string
}

export function addImages (program: Command, shell: Shell): void {
  const images = program.command('images').description('list, show, retry, prioritize or delete images')
  addExamples(images, EXAMPLES)
  addApi(images.command('list').description('the newest first'))
    .addOption(new Option('--state <state>', 'only these').choices(IMAGE_STATES))
    .option('--device <id>', 'only those of one device')
    .option('--from <time>', 'accepted at or after, like 2026-11-03T06:00:00Z')
    .option('--to <time>', 'accepted before')
    .option('--limit <count>', 'at most so many')
    .option('--cursor <cursor>', 'where the last list ended')
    .action(async (options: Options) => { await list(options, shell) })
  addApi(images.command('show').description('what it is and where it stands; "sluice explain" tells its life'))
    .argument('<image>', NAME)
    .action(async (image: string, options: Options) => {
      const found = await createApi(options, shell).ask('GET', pathOf(image)) as ExplainedImage
      shell.print(formatAs(options, found, formatImage))
    })
  addFilters(addApi(images.command('retry').description('try failed images again: one, or all that a filter matches')))
    .argument('[image]', NAME)
    .option('--all', 'every failed image')
    .action(async (image: string | undefined, options: Options) => { await retry(image, options, shell) })
  addApi(images.command('prioritize').description('send one that waits before all others'))
    .argument('<image>', NAME)
    .action(async (image: string, options: Options) => {
      const answer = await createApi(options, shell).ask('POST', `${pathOf(image)}/prioritize`) as ImageJson
      shell.print(formatAs(options, answer, ({ state }: ImageJson) =>
        state === 'uploading' ? `${image} is on its way already` : `${image} goes before all lanes`))
    })
  addFilters(addApi(images.command('delete').description('give images up for good: one, or all failed ones that a filter matches')))
    .argument('[image]', NAME)
    .option('--all', 'every failed image')
    .option('--yes', 'really, for one')
    .option('--confirm <count>', 'really, for many: how many they are')
    .action(async (image: string | undefined, options: Options) => { await drop(image, options, shell) })
}

async function list (options: Options, shell: Shell): Promise<void> {
  const query = new URLSearchParams()
  for (const name of ['state', 'device', 'from', 'to', 'limit', 'cursor']) {
    const value = options[name]
    if (typeof value === 'string') query.set(name, value)
  }
  const page = await createApi(options, shell).ask('GET', `/api/v1/images?${query}`) as ImagesJson
  const { images, next } = page
  if (options['json'] === true) return shell.print(formatAs(options, page, String))
  if (images.length > 0) shell.print(formatTable([HEADS, ...images.map(formatRow)]))
  else if (next === undefined) shell.say('there are no such images')
  if (next === undefined) return
  const cursor = new URLSearchParams(next.replace(/^.*\?/, '')).get('cursor')
  shell.say(`more: add --cursor ${cursor}`)
}

async function retry (image: string | undefined, options: Options, shell: Shell): Promise<void> {
  checkTarget(image, options)
  const api = createApi(options, shell)
  if (image === undefined) return await retryMany(options, api, shell)
  const answer = await api.ask('POST', `${pathOf(image)}/retry`)
  shell.print(formatAs(options, answer, () => `${image} waits for the uplink again`))
}

/** Deleting is the one way in which an image can be lost that a device had a PUBACK for. */
async function drop (image: string | undefined, options: Options, shell: Shell): Promise<void> {
  checkTarget(image, options)
  const api = createApi(options, shell)
  if (image === undefined) return await dropMany(options, api, shell)
  if (options['yes'] !== true) {
    const { state } = await api.ask('GET', pathOf(image)) as ImageJson
    if (state === 'uploaded' || state === 'dropped') {
      throw new CommandError(EXIT.usage, `${image} is ${state}: nothing of it is kept here that could be deleted`)
    }
    const cost = 'its bytes here would be gone for good'
    throw new CommandError(EXIT.usage, `${image} is ${state}; ${cost}: add --yes to delete it`)
  }
  const answer = await api.ask('DELETE', pathOf(image))
  shell.print(formatAs(options, answer, () => `${image} is deleted`))
}

function pathOf (image: string): string {
  return `/api/v1/images/${encodeURIComponent(image)}`
}

const HEADS = ['ACCEPTED', 'DEVICE', 'IMAGE', 'STATE', 'SIZE', 'KEY OR REASON']

function formatRow ({ receivedAt, device, id, state, bytes, key, reason }: ImageJson): string[] {
  return [receivedAt, device, id, state, formatBytes(bytes), key ?? reason ?? '']
}

/** Every field that is there, one a line. */
function formatImage (image: ExplainedImage): string {
  const { links, meta = {}, life, ...fields } = image
  const named = Object.entries(meta).map(([name, value]) => [`meta ${name}`, value] as const)
  return [...Object.entries(fields), ...named]
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(13)} ${value}`)
    .join('\n')
}
