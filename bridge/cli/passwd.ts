// `sluice passwd`: one user's line in a password file. The password never stands in an argument,
// where every user of the machine could read it.

import { chmod, chown, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises'
import { createInterface } from 'node:readline/promises'
import { Writable, type Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { Command } from 'commander'
import { formatHash, hashPassword, ITERATIONS, ITERATIONS_MAX } from '../../broker/password-hash.ts'
import { parsePasswords, parseUsername, USERNAME_FORM, withPassword } from '../../broker/passwords.ts'
import { addExamples } from './examples.ts'
import { CommandError, EXIT } from './exit.ts'
import type { Options } from './output.ts'
import type { Shell } from './shell.ts'

const EXAMPLES = [
  'sluice passwd /etc/sluice/passwords cam-1',
  'head -c 18 /dev/urandom | base64 | tee cam-1.secret | sluice passwd /etc/sluice/passwords cam-1',
  'sluice passwd --delete /etc/sluice/passwords cam-1'
]

/** Where a person types, or a program writes. */
export interface Input extends Readable {
  readonly isTTY?: boolean
}

export function addPasswd (program: Command, shell: Shell, input: Input = process.stdin): void {
  const command = program.command('passwd').description('set, change or delete the password of one user in a password file')
  addExamples(command, EXAMPLES)
    .argument('<file>', 'the file that auth.passwordFile names; it is made where there is none')
    .argument('<user>', 'for a device, its deviceId')
    .option('--stdin', 'read the password from the first line of standard input, also on a terminal')
    .option('--delete', 'remove the user')
    .option('--iterations <count>',
      `of PBKDF2; more for passwords that people make up, and each reconnect costs as much (${ITERATIONS})`, String(ITERATIONS))
    .action(async (file: string, user: string, options: Options) => {
      if (parseUsername(user) === undefined) {
        throw new CommandError(EXIT.usage, `${JSON.stringify(user)} is no user name; write one ${USERNAME_FORM}`)
      }
      const before = await readExisting(file)
      if (options['delete'] === true) return await remove({ file, user, before }, shell)
      const iterations = readIterations(String(options['iterations']))
      const password = input.isTTY === true && options['stdin'] !== true ? await ask(input) : await readLine(input)
      const coded = formatHash(await hashPassword(password, iterations))
      await write(file, withPassword(before ?? '', user, coded))
      shell.say(`sluice: ${user} has a password in ${file}; a service that runs reads it again at SIGHUP`)
    })
}

interface Removing {
  readonly file: string
  readonly user: string
  readonly before: string | undefined
}

async function remove ({ file, user, before = '' }: Removing, shell: Shell): Promise<void> {
  if (!parsePasswords(before).passwords.has(user)) {
    throw new CommandError(EXIT.usage, `${file} has no user ${user}; look at the names before the colons`)
  }
  await write(file, withPassword(before, user, undefined))
  shell.say(`sluice: ${user} is gone from ${file}; at SIGHUP a service that runs ends the sessions of ${user}`)
}

/** Undefined: there is none yet. */
async function readExisting (file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function readIterations (written: string): number {
  const iterations = /^\d{1,9}$/.test(written) ? Number(written) : 0
  if (iterations >= 1 && iterations <= ITERATIONS_MAX) return iterations
  throw new CommandError(EXIT.usage, `--iterations ${written} is not a count from 1 to ${ITERATIONS_MAX}`)
}

async function readLine (input: Input): Promise<string> {
  const [line = ''] = (await text(input)).split(/\r?\n/)
  return checked(line)
}

async function ask (input: Input): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => { done() } }) // what is typed is not shown
  const lines = createInterface({ input, output: silent, terminal: true })
  const stop = new AbortController()
  lines.once('SIGINT', () => { stop.abort() })
  const question = async (prompt: string): Promise<string> => {
    process.stderr.write(prompt)
    const answer = await lines.question('', stop).catch(() => undefined) // rejects when it is stopped
    process.stderr.write('\n')
    if (answer === undefined) throw new CommandError(EXIT.interrupted, 'nothing was changed')
    return answer
  }
  try {
    const first = await question('password: ')
    const second = await question('the same again: ')
    if (first !== second) throw new CommandError(EXIT.usage, 'the two passwords differ; nothing was changed')
    return checked(first)
  } finally {
    lines.close()
  }
}

function checked (password: string): string {
  if (password === '') throw new CommandError(EXIT.usage, 'the password is empty; write one on the first line of standard input')
  return password
}

/** Whole or not at all, with the rights and the owner that the file had; a new one is for its owner alone. */
async function write (file: string, contents: string): Promise<void> {
  const target = await realpath(file).catch(() => file)
  const before = await stat(target).catch(() => undefined)
  const draft = `${target}.${process.pid}.new`
  const handle = await open(draft, 'wx', 0o600)
  try {
    await handle.writeFile(contents)
    if (before !== undefined) {
      await chmod(draft, before.mode & 0o777)
      await chown(draft, before.uid, before.gid).catch(() => {}) // only root gives files away
    }
    await handle.sync()
    await rename(draft, target)
  } catch (error) {
    await unlink(draft).catch(() => {})
    throw error
  } finally {
    await handle.close()
  }
}
