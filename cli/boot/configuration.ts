import * as v from 'valibot';
import { keyFileSize, readPublicKey } from '../../pool/images/keys.ts';

const PublicKeySchema = v.pipe(
  v.string(),
  v.maxLength(keyFileSize),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const key = readPublicKey(dataset.value);
    if (key.ok) return key.value;
    addIssue({ message: key.error });
    return NEVER;
  }),
);

/** What is linked into a host image: whom it believes. There is no other way to tell it. */
export const HostBootSchema = v.strictObject({
  /** Whose seeds it takes: the operator's public key, as PEM. */
  seedKey: PublicKeySchema,
  /** Whose service guests it starts: the builder's public key, as PEM. */
  imageKey: PublicKeySchema,
});
export type HostBootConfiguration = v.InferOutput<typeof HostBootSchema>;
