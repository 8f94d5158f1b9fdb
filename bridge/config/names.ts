import * as z from 'zod'

const NAME = /^[A-Za-z0-9._~@-]{1,64}$/
const REFUSAL = 'is not a list of user names; write it like [alice, bob]'

/** Of users, as they stand in a password file or in the sub of a token; none where the list is empty. */
export const names = (description: string) =>
  z.codec(z.union([z.string(), z.array(z.string())], { error: () => REFUSAL }), z.array(z.string()), {
    decode (given, context) {
      const items = typeof given === 'string' ? given.split(',').map((one) => one.trim()).filter((one) => one !== '') : given
      if (items.every((one) => NAME.test(one))) return items
      context.issues.push({ code: 'custom', message: REFUSAL, input: given })
      return z.NEVER
    },
    encode: (items) => items
  }).prefault([]).meta({ description })
