import * as v from 'valibot';

/**
 * What is said on a supervisor's socket: a Unix socket of the host, JSON, one message a line. Who asks
 * sends one request; the supervisor answers with any number of `progress` and one last message.
 */

/** Longest line of either side. */
export const lineMax = 64 * 2 ** 10;

const text = v.pipe(v.string(), v.maxLength(4096));
const name = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,62}$/));
const span = v.pipe(v.number(), v.minValue(0));

/** Whether a text can be the name of a service. */
export function isSupervisedName(text: string): boolean {
  return v.is(name, text);
}

/** What can be asked of a supervisor. */
export const RequestSchema = v.variant('ask', [
  v.strictObject({ ask: v.literal('status') }),
  v.strictObject({ ask: v.literal('restart'), service: name }),
]);
export type Request = v.InferOutput<typeof RequestSchema>;

/** One service that a supervisor keeps running. */
export const SupervisedSchema = v.object({
  service: name,
  /** `process` or `guest`. */
  kind: v.picklist(['process', 'guest']),
  /** One word: `serving`, `starting`, `waiting`, `refused`, `stopping`, `stopped`, `silent`. */
  state: name,
  /** Process id or domid; null where there is none now. */
  id: v.nullable(v.number()),
  /** How often this supervisor has started it. */
  starts: v.pipe(v.number(), v.integer(), v.minValue(0)),
  /** Why it is not serving, or anything else to know; empty where there is nothing. */
  detail: text,
});
export type Supervised = v.InferOutput<typeof SupervisedSchema>;

/** What a supervisor answers. `progress` comes before the last message, the others are last. */
export const ResponseSchema = v.variant('kind', [
  v.object({ kind: v.literal('progress'), text }),
  v.object({ kind: v.literal('status'), host: text, services: v.array(SupervisedSchema) }),
  v.object({
    kind: v.literal('restarted'),
    service: name,
    /** Milliseconds from the request to end until it served again. */
    away: span,
    /** Process id or domid of the new one. */
    id: v.nullable(v.number()),
  }),
  v.object({ kind: v.literal('failed'), message: text, remedy: text }),
]);
export type Response = v.InferOutput<typeof ResponseSchema>;

/** The name of the socket of whoever runs a host's processes, in the host's directory. */
export const supervisorSocket = 'supervisor.sock';

/** The socket of whoever runs a host's service guests: a machine is one host. */
export const guestsSocket = '/run/flotilla/service-guests.sock';
