// The S3 client, made cheap: hundreds of puts a second go through it, on the thread that also takes images in.
//
// It puts its chain of middleware together anew for every request, unless `cacheMiddleware` is set, and then only for
// requests sent without options and with nothing added to the command. What a request needs beside its fields, the
// hash to sign with and the signal that stops it, lies under a symbol on the command's input instead: middleware
// that copies the input takes it along.
//
// No body is hashed to be signed: the signer takes the payload's hash from an `x-amz-content-sha256` header that is
// already there (@smithy/signature-v4, getPayloadHash).

import {
  S3Client, type PutObjectCommand, type PutObjectCommandInput, type PutObjectCommandOutput, type UploadPartCommand,
  type UploadPartCommandOutput
} from '@aws-sdk/client-s3'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Agents } from './paced-agent.ts'
import { PutShortcut, readAnswer, type ChainContext, type HttpRequest, type HttpResponse } from './s3-shortcut.ts'

interface Beside {
  /** Of the payload, in hex. */
  readonly sha256?: string
  readonly abortSignal?: AbortSignal
  /** What the store has said already: the request is made, and not sent again. */
  answer?: HttpResponse
}

export interface ClientOptions {
  /** Undefined: AWS, in `region`. */
  readonly endpoint: string | undefined
  readonly region: string
  /** `auto`: where there is an endpoint. */
  readonly pathStyle: 'auto' | boolean
  /** Undefined: the standard AWS chain. */
  readonly credentials: { readonly accessKeyId: string, readonly secretAccessKey: string } | undefined
  /** How long the store may be silent; over 100. A put that moves, or waits for its turn, may last longer. */
  readonly timeoutMs: number
  readonly connectionTimeoutMs?: number
  readonly agents: Agents
}

const BESIDE = Symbol('beside')
const NOTHING: Beside = {}
const besides = new WeakMap<HttpRequest, Beside>()

/**
 * What the client does with every request and nobody here has asked for: a fifth of what a put costs, and 175 bytes
 * on the line. Two are for AWS Lambda and for redirects, which are off; user agents name the runtime and its versions.
 */
const UNWANTED = [
  'loggerMiddleware', 'regionRedirectMiddleware', 'addExpectContinueMiddleware', 'getUserAgentMiddleware',
  'recursionDetectionMiddleware'
]

export function createClient (options: ClientOptions): S3Client {
  const { endpoint, region, pathStyle, credentials, agents } = options
  const handler = lookingBeside(new NodeHttpHandler({
    httpAgent: agents.http,
    httpsAgent: agents.https,
    connectionTimeout: options.connectionTimeoutMs ?? 10_000,
    // socketTimeout is silence. requestTimeout would be the length of a put, and stays off.
    socketTimeout: options.timeoutMs,
    throwOnRequestTimeout: true,
    socketAcquisitionWarningTimeout: 1_000 // its timer outlives a request that cannot be made
  }))
  const client = new S3Client({
    region,
    forcePathStyle: pathStyle === 'auto' ? endpoint !== undefined : pathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(credentials === undefined ? {} : { credentials }),
    maxAttempts: 1, // the uplink tries again, so that each attempt is charged to its budget
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false, // with agents of our own the client sends the header and does not wait
    cacheMiddleware: true,
    requestHandler: handler
  })
  for (const name of UNWANTED) client.middlewareStack.remove(name)
  client.middlewareStack.add((next) => (args) => {
    const { sha256 } = besideOf(args.input)
    if (sha256 !== undefined) (args.request as HttpRequest).headers['x-amz-content-sha256'] = sha256
    return next(args)
  }, { step: 'build' }) // before `finalizeRequest`, where the signer is
  client.middlewareStack.add((next) => (args) => {
    besides.set(args.request as HttpRequest, besideOf(args.input))
    return next(args)
  }, { step: 'finalizeRequest', priority: 'low' }) // the request is the one that is sent
  shorten(client, handler)
  return client
}

/** Puts go the short way where the one before went well. */
function shorten (client: S3Client, handler: NodeHttpHandler): void {
  const shortcut = new PutShortcut(client)
  const isPut = (context: object): boolean => (context as { commandName?: string }).commandName === 'PutObjectCommand'
  client.middlewareStack.add((next, context) => async (args) => {
    if (!isPut(context)) return await next(args)
    const [input, beside] = [args.input as PutObjectCommandInput, besideOf(args.input)]
    const request = await shortcut.request(input, beside.sha256)
    if (request === undefined) return await next(args)
    try {
      besides.set(request, beside)
      const { response } = await handler.handle(request)
      if (response.statusCode === 200) return { response, output: await readAnswer(response) }
      beside.answer = response
    } catch (error) {
      shortcut.forget()
      throw error
    }
    shortcut.forget()
    return await next(args)
  }, { step: 'initialize', priority: 'high' })
  client.middlewareStack.add((next, context) => async (args) => {
    const answered = await next(args)
    const { sha256 } = besideOf(args.input)
    const input = args.input as PutObjectCommandInput
    if (!isPut(context) || sha256 === undefined) return answered
    shortcut.learn(input, sha256, args.request as HttpRequest, context as ChainContext)
    return answered
  }, { step: 'finalizeRequest', priority: 'low' }) // rejects where the answer is no success
}

/** As `client.send`, signed with a payload hash that is known. */
export function sendWith (client: S3Client, command: PutObjectCommand, beside: Beside): Promise<PutObjectCommandOutput>
export function sendWith (
  client: S3Client, command: UploadPartCommand, beside: Beside
): Promise<UploadPartCommandOutput>
export function sendWith (
  client: S3Client, command: PutObjectCommand | UploadPartCommand, beside: Beside
): Promise<PutObjectCommandOutput | UploadPartCommandOutput> {
  Object.assign(command.input, { [BESIDE]: beside })
  return client.send(command as PutObjectCommand) // the types have an overload for each kind
}

function besideOf (input: object): Beside {
  return (input as { readonly [BESIDE]?: Beside })[BESIDE] ?? NOTHING
}

/** Hands each request the signal that lies beside it, and its answer where there is one. */
function lookingBeside (handler: NodeHttpHandler): NodeHttpHandler {
  const handle = handler.handle.bind(handler)
  handler.handle = async (request, options) => {
    const { abortSignal, answer } = besides.get(request) ?? NOTHING
    if (answer !== undefined) return { response: answer }
    return await handle(request, abortSignal === undefined ? options : { ...options, abortSignal })
  }
  return handler
}
