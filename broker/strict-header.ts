// What a first byte and a remaining length say of a packet before anything of it is read: a packet that cannot be
// right takes no memory. What mqtt-packet looks at as well (flags, QoS 3) it looks at once the packet is whole.

interface Form {
  readonly name: string
  /** The low four bits. PUBLISH has its own. */
  readonly flags: number | undefined
  readonly bytesMin: number
  readonly bytesMax: number
  /** The clause that the flags are of. */
  readonly clause: string
}

function form (name: string, [bytesMin, bytesMax]: readonly [number, number], flags?: number, clause = '2.2.2-2'): Form {
  return { name, flags, bytesMin, bytesMax, clause: `[MQTT-${clause}]` }
}

/** By type; undefined: no client sends it. */
const forms: ReadonlyArray<Form | undefined> = [
  undefined,
  form('CONNECT', [12, Infinity], 0),
  undefined,
  form('PUBLISH', [3, Infinity]),
  form('PUBACK', [2, 2], 0),
  form('PUBREC', [2, 2], 0),
  form('PUBREL', [2, 2], 2, '3.6.1-1'),
  form('PUBCOMP', [2, 2], 0),
  form('SUBSCRIBE', [2, Infinity], 2, '3.8.1-1'),
  undefined,
  form('UNSUBSCRIBE', [2, Infinity], 2, '3.10.1-1'),
  undefined,
  form('PINGREQ', [0, 0], 0),
  undefined,
  form('DISCONNECT', [0, 0], 0, '3.14.1-1'),
  undefined
]

/** Says what no such packet can have. */
export function wrongHeader (firstByte: number, declaredBytes: number): string | undefined {
  const type = firstByte >> 4
  const known = forms[type]
  if (known === undefined) return `a packet of type ${type}, which no client sends [MQTT-4.8.0-1]`
  const { name, flags, bytesMin, bytesMax, clause } = known
  const given = firstByte & 0xf
  if (flags === undefined) {
    if ((given & 6) === 6) return `a ${name} with QoS 3 [MQTT-3.3.1-4]`
    if ((given & 0xe) === 8) return `a ${name} with QoS 0 that says it is sent again [MQTT-3.3.1-2]`
  } else if (given !== flags) return `a ${name} with the flags ${given} and not ${flags} ${clause}`
  if (declaredBytes >= bytesMin && declaredBytes <= bytesMax) return undefined
  return `a ${name} that declares ${declaredBytes} bytes, which none has [MQTT-4.8.0-1]`
}
