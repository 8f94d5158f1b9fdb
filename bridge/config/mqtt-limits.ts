// What one client of the MQTT listeners may use. The names are those of sluice_mqtt_limits_reached_total.

import * as z from 'zod'
import { count, duration, size } from './kinds.ts'

/** Times in milliseconds, the rest in counts and bytes. */
export type MqttLimits = z.output<typeof fields>

const fields = z.strictObject({
  connectionsPerAddress: count(8_000, 'Connections of one address; one behind which many devices stand needs many.',
    { min: 1, max: 1_000_000 }),
  handshake: duration('5s', 'From the connection to the complete CONNECT, TLS and WebSocket included.',
    { min: 100, max: 600_000 }),
  messagesPerSecond: count(1_000, 'Packets of one connection; what comes faster is read more slowly, never dropped.',
    { min: 1, max: 1_000_000 }),
  bytesPerSecond: size('100MB', 'Bytes a second of one connection; what comes faster is read more slowly, never dropped.',
    { min: 1_000 }),
  inFlight: count(32, 'Images of one connection that are not acknowledged; further ones wait in its socket.',
    { min: 1, max: 1_000 }),
  topicDepth: count(32, 'Levels of a topic or filter.', { min: 3, max: 1_000 }),
  topicLength: count(1_024, 'Characters of a topic or filter.', { min: 64, max: 65_535 }),
  subscriptions: count(1_000, 'Filters that one client is subscribed to.', { min: 1, max: 1_000_000 }),
  sessions: count(10_000, 'Sessions that are kept (clean session 0), connected or not.', { max: 1_000_000 }),
  sessionsPerUser: count(1_000, 'Of these, those of one user.', { max: 1_000_000 }),
  sessionMessages: count(1_000, 'Messages that wait in one of them; further ones are dropped and counted.', { max: 1_000_000 }),
  sessionBytes: size('4MB', 'Bytes that wait in one of them.', { min: 1_000 }),
  sessionsBytes: size('64MB', 'Bytes that wait in all of them together.', { min: 1_000 }),
  retainedBytes: size('32MB', 'Retained messages together, with 1.2 kB for each; never an image.', { min: 1_000 }),
  guessesPerAddress: count(100, 'Wrong passwords of one address that none is waited for, over HTTP too; then 5 a second are looked at.',
    { min: 1, max: 1_000_000 }),
  idle: duration('1h', 'A client without a keep alive is cut once it has sent nothing for so long.',
    { min: 1_000, max: 31_536_000_000 }),
  progress: duration('30s', 'A packet that was begun goes on within this time, or the connection is cut.',
    { min: 1_000, max: 3_600_000 }),
  uploadBytesPerSecond: size('1KB', 'A PUBLISH arrives at least as fast as this, or the connection is cut.', { min: 1 })
})

export const mqttLimits = fields.prefault({}).meta({ description: 'What one client may use.' })
