import { access, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { StoreAccess } from './bucket.ts'
import { SimulatorError } from '../errors.ts'
import { isLoopback, remoteSentence } from '../scenario/check.ts'

/** What the command line says about the object store. */
export interface StoreFlags {
  readonly s3File?: string
  readonly s3Endpoint?: string
  readonly s3Bucket?: string
  readonly s3Region?: string
  readonly s3AccessKeyId?: string
  readonly s3SecretAccessKey?: string
  readonly storeControl?: string
  readonly allowRemote?: boolean
}

export interface StoreChoice {
  readonly access: StoreAccess
  /** Where its faults are turned, if they can be. */
  readonly control: string | undefined
  /** The file it was read from; whoever judges the run may do so from another folder. */
  readonly file: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Written by Sluice for whoever runs on the same machine: a JSON object of strings, with FIELDS at least. */
const STORE_FILE = './data/local-store.json'
const FIELDS = ['endpoint', 'bucket', 'accessKeyId', 'secretAccessKey'] as const
type StoreFile = Partial<Record<typeof FIELDS[number] | 'region' | 'control', string>>

/** Flags before the file, the file before the environment; the AWS SDK's own chains find what is left. */
export async function chooseStore (flags: StoreFlags, env: Environment): Promise<StoreChoice> {
  const isThere = flags.s3Endpoint === undefined && await access(STORE_FILE).then(() => true, () => false)
  const path = flags.s3File ?? (isThere ? STORE_FILE : undefined)
  const file: StoreFile = path === undefined ? {} : await readStoreFile(path)
  const bucket = flags.s3Bucket ?? file.bucket
  if (bucket === undefined) {
    throw new SimulatorError('USAGE',
      'verify: say where the images end up: --s3-file, or --s3-endpoint and --s3-bucket; ' +
      'a Sluice started in this folder with its own store writes ./data/local-store.json, `simulate -- store` ./data/store/local-store.json')
  }
  const endpoint = flags.s3Endpoint ?? file.endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL']
  if (flags.allowRemote !== true && !isLoopback(hostOf(endpoint))) {
    throw new SimulatorError('USAGE', remoteSentence(`the object store at ${endpoint ?? 'AWS'}`))
  }
  return {
    access: {
      endpoint,
      bucket,
      region: flags.s3Region ?? file.region ?? env['AWS_REGION'],
      accessKeyId: flags.s3AccessKeyId ?? file.accessKeyId,
      secretAccessKey: flags.s3SecretAccessKey ?? file.secretAccessKey
    },
    control: flags.storeControl ?? file.control,
    file: path === undefined ? undefined : resolve(path)
  }
}

async function readStoreFile (path: string): Promise<StoreFile> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SimulatorError('USAGE', `s3-file: ${path} cannot be read: ${String(cause)}`)
  })
  const found = parseStrings(text)
  const missing = FIELDS.filter((name) => found[name] === undefined)
  if (missing.length > 0) throw new SimulatorError('USAGE', `s3-file: ${path} has no ${missing.join(', ')}`)
  return found
}

// What is no JSON object has no fields.
function parseStrings (text: string): Readonly<Record<string, string>> {
  try {
    const value: unknown = JSON.parse(text)
    return Object.fromEntries(Object.entries(value ?? {}).filter(([, field]) => typeof field === 'string'))
  } catch {
    return {}
  }
}

function hostOf (endpoint: string | undefined): string {
  if (endpoint === undefined) return 'AWS'
  if (!URL.canParse(endpoint)) {
    throw new SimulatorError('USAGE',
      `s3-endpoint: wanted a URL such as http://127.0.0.1:9000, got "${endpoint}"`)
  }
  return new URL(endpoint).hostname
}
