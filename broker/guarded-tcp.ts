/** For the server whose sockets are guarded: nothing is read before the guard asks. */
export const guardedTcp = {
  pauseOnConnect: true,
  highWaterMark: 0,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000
} as const
