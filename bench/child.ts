import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** A process of the benchmark: what it prints is kept, what it costs is read from /proc. */
export class Child {
  readonly process: ChildProcess
  #output = ''
  #exited = false

  constructor (command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.process = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    this.process.stdout?.on('data', (chunk: Buffer) => { this.#output += chunk.toString() })
    this.process.stderr?.on('data', (chunk: Buffer) => { this.#output = (this.#output + chunk.toString()).slice(-1e6) })
    this.process.once('exit', () => { this.#exited = true })
    this.process.once('error', () => { this.#exited = true })
  }

  get output (): string { return this.#output }

  /** Resolves with the match; rejects when the process ends or the time is over first. */
  async prints (pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await delay(20)) {
      const match = pattern.exec(this.#output)
      if (match !== null) return match
      if (this.#exited) break
    }
    throw new Error(`${this.process.spawnfile} did not print ${String(pattern)}:\n${this.#output.slice(-2000)}`)
  }

  async exited (): Promise<number | null> {
    if (!this.#exited) await once(this.process, 'exit')
    return this.process.exitCode
  }

  async stop (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#exited) return
    this.process.kill(signal)
    await this.exited()
  }

  /** Bytes: the most that was ever resident, and what is now. */
  memory (): { peak: number, now: number } {
    return readMemory(this.process.pid ?? 0)
  }
}

/** CPU seconds used so far, user and system, of a process or, as `PID/task/TID`, of one of its threads. */
export function readCpuSeconds (pid: number | string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100 // proc(5): utime and stime in ticks of 10 ms
}

export function readMemory (pid: number): { peak: number, now: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) * 1024
  return { peak: read('VmHWM'), now: read('VmRSS') }
}

/** Bytes given to the disk so far, without what was truncated before it got there; proc(5). */
export function readWrittenBytes (pid: number): number {
  const io = readFileSync(`/proc/${pid}/io`, 'utf8')
  const read = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(io)?.[1] ?? 0)
  return read('write_bytes') - read('cancelled_write_bytes')
}

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[sorted.length >> 1] ?? NaN
}
