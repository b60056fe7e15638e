import * as v from 'valibot';

/**
 * How a cluster of etcd is reached that is not the pool's own, in files of PEM: whose certificates
 * its members have, and what we show them, where they ask for it.
 */
export const StoreTlsSchema = v.pipe(
  v.strictObject({
    ca: v.string(),
    certificate: v.optional(v.string()),
    key: v.optional(v.string()),
  }),
  v.check(
    ({ certificate, key }) => (certificate === undefined) === (key === undefined),
    'give certificate and key together, or neither',
  ),
);
export type StoreTls = v.InferOutput<typeof StoreTlsSchema>;
