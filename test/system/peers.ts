// Programs of other people that Sluice has to get on with. Each is started on loopback and free ports,
// with its files in a directory of its own, and ended by its pid.

import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import type { DeviceId } from '../../broker/topics.ts'
import { paintScenes } from '../../device-sim/images/scenes.ts'
import { eventually } from '../helpers/eventually.ts'

const PHOTOS = resolve(import.meta.dirname, '../../../shared/photos')
const COMMAND_MS_MAX = 60_000

/** For a test's `skip`: the commands that are not on PATH, or false. */
export function missing (...commands: readonly string[]): string | false {
  const directories = (process.env['PATH'] ?? '').split(delimiter)
  const absent = commands.filter((command) => !directories.some((directory) => isExecutable(join(directory, command))))
  return absent.length === 0 ? false : `${absent.join(' and ')} not installed`
}

function isExecutable (path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The Python that has paho: Debian's package belongs to Debian's interpreter, which need not be first on PATH. */
export const pahoPython = ['python3', '/usr/bin/python3'].find((python) =>
  spawnSync(python, ['-c', 'import paho.mqtt.client']).status === 0)

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command to its end, whatever that is. */
export function run (
  command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, timeout: COMMAND_MS_MAX, maxBuffer: 16_000_000 }
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ code: 0, stdout, stderr })
      else if (typeof error.code === 'number') resolve({ code: error.code, stdout, stderr })
      else reject(error) // not there, or out of time
    })
  })
}

/** The same where only success will do; gives stdout. */
export async function runWell (
  command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}
): Promise<string> {
  const { code, stdout, stderr } = await run(command, args, env)
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${stderr || stdout}`)
  return stdout
}

/** What ends when its test, or all of them, have. */
export type Scope = Pick<TestContext, 'after'>

export interface Peer {
  /** Everything it said so far. */
  output (): string
  /** Sends the signal, and waits for the end. */
  end (signal: NodeJS.Signals): Promise<void>
  send (signal: 'SIGSTOP' | 'SIGCONT'): void
}

/** Starts a daemon in the foreground and waits until `isUp`; ended with the test. */
export async function startPeer (
  t: Scope, command: string, args: readonly string[], isUp: () => Promise<boolean>
): Promise<Peer> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => { said.push(text) })
  }
  let hasEnded = false
  const ended = once(child, 'close').finally(() => { hasEnded = true })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  t.after(() => end('SIGKILL'))
  const output = (): string => said.join('')
  await eventually(async () => {
    if (hasEnded) throw new Error(`${command} has ended: ${output()}`)
    return await isUp()
  }, { timeoutMs: 60_000, what: `the start of ${command}` })
  return { output, end, send: (signal) => { child.kill(signal) } }
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Removed with the test: ask for it before what uses it is started, and end that first. */
export async function makeDirectory (t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-system-'))
  t.after(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
  return directory
}

export interface Photo {
  readonly name: string
  readonly bytes: Buffer
}

/** Real photos where the machine has some, else pictures of the same size. All are valid JPEGs. */
export async function readPhotos (): Promise<Photo[]> {
  const names = await readdir(PHOTOS).catch(() => [])
  const photos = names.filter((name) => name.endsWith('.jpg')).sort()
  if (photos.length > 0) {
    return await Promise.all(photos.map(async (name) => ({ name, bytes: await readFile(join(PHOTOS, name)) })))
  }
  const scenes = await paintScenes({ size: 150_000, devices: 8, seed: 1 })
  return Array.from({ length: 8 }, (_, index) => {
    const mark = { run: 'system00', deviceId: 'cam-1' as DeviceId, number: index + 1, capturedAt: 0 }
    return { name: `scene-${index}.jpg`, bytes: scenes.render(mark, index) }
  })
}
