import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { readCpuSeconds, readMemory, readWrittenBytes, type Child } from '../child.ts'

/** A broker under test, listening. What it costs is summed over its processes and all they started. */
export interface Peer {
  readonly port: number
  /** Of the load: where an image goes, and as whom. */
  readonly topic: string
  readonly login: readonly string[]
  cpuSeconds (): number
  /** Bytes given to the disk, and what was taken back before it got there left out. */
  writtenBytes (): number
  memory (): { readonly peak: number, readonly now: number }
  stop (): Promise<void>
}

export interface PeerKind {
  readonly name: string
  /** What `apt-get install` wants for it. */
  readonly packages: string
  /** Undefined where it is not installed. */
  version (): string | undefined
  /** With a store's endpoint it sends there what it takes in, as fast as it can. */
  start (directory: string, endpoint?: string): Promise<Peer>
}

interface PeerOptions {
  readonly port: number
  readonly topic?: string
  readonly login?: readonly string[]
}

/** The children are stopped in their order. */
export function peerOf (
  children: readonly Child[], { port, topic = 'devices/%d/images/%n', login = [] }: PeerOptions
): Peer {
  const pids = (): number[] => children.flatMap((child) => descendants(child.process.pid ?? 0))
  const sum = (read: (pid: number) => number): number => pids().reduce((total, pid) => total + read(pid), 0)
  return {
    port,
    topic,
    login,
    cpuSeconds: () => sum(readCpuSeconds),
    writtenBytes: () => sum(readWrittenBytes),
    memory: () => ({ peak: sum((pid) => readMemory(pid).peak), now: sum((pid) => readMemory(pid).now) }),
    async stop () {
      const own = new Set(children.map((child) => child.process.pid))
      const others = pids().filter((pid) => !own.has(pid))
      for (const child of children) await child.stop()
      for (const pid of others) try { process.kill(pid) } catch { /* it has ended with its parent */ }
    }
  }
}

function descendants (pid: number): number[] {
  try {
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)]).toString().trim().split(/\s+/).map(Number)
    return [pid, ...children.flatMap(descendants)]
  } catch {
    return [pid] // ps exits with 1 where there are none
  }
}

export async function listens (port: number, timeoutMs = 10_000): Promise<void> {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(100)) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await Promise.race([once(socket, 'connect').then(() => true, () => false), delay(1000, false)])
    socket.destroy()
    if (isOpen) return
  }
  throw new Error(`nobody listens on port ${port}`)
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on TCP
  server.close()
  await once(server, 'close')
  return port
}

export function has (command: string): boolean {
  return ask('sh', '-c', `command -v ${command}`) !== undefined
}

/** The first line of what a command prints, whatever it exits with; undefined where it prints nothing. */
export function ask (command: string, ...args: readonly string[]): string | undefined {
  try {
    return firstLine(execFileSync(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }))
  } catch (error) {
    return firstLine((error as { stdout?: Buffer }).stdout ?? '') // execFileSync throws with what was printed
  }
}

function firstLine (output: Buffer | string): string | undefined {
  return output.toString().split('\n', 1)[0]?.trim() || undefined
}
