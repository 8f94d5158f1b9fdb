// `sluice explain`: the life of one image, as a story.

import type { Command } from 'commander'
import type { ExplainedImage } from '../http/images.ts'
import { addApi, createApi } from './api.ts'
import { addExamples } from './examples.ts'
import { tellLife } from './explain-story.ts'
import { formatAs, type Options } from './output.ts'
import type { Shell } from './shell.ts'

const EXAMPLES = [
  'sluice explain 20261103-060000',
  'sluice explain cam-1:20261103-060000',
  'sluice explain cam-1:20261103-060000 --json'
]

export function addExplain (program: Command, shell: Shell): void {
  const command = program.command('explain').description('the life of one image: what happened to it, and what comes next')
  addApi(addExamples(command, EXAMPLES))
    .argument('<image>', 'imageId, or deviceId:imageId')
    .action(async (image: string, options: Options) => {
      const path = `/api/v1/images/${encodeURIComponent(image)}`
      const explained = await createApi(options, shell).ask('GET', path) as ExplainedImage
      shell.print(formatAs(options, explained, tellLife))
    })
}
