import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';
import { commonFields } from '../../pool/configuration.ts';
import { NameSchema } from '../../pool/records/identifiers.ts';
import { checkBridgeName } from './core/names.ts';

/** Networks that a pool is given at its start. */
const networksBound = 64;

const NetworkSchema = v.strictObject({
  name: NameSchema,
  /** An interface's name on every host; made where it is missing. */
  bridge: v.pipe(
    v.string(),
    v.check((name) => checkBridgeName(name).ok, 'write the name of a bridge, such as xenbr0'),
  ),
});

/** The configuration of `flotilla network`. */
export const NetworkConfigurationSchema = v.strictObject({
  ...commonFields,
  /** What joins VMs: the bridges of this host's kernel, or pretended ones. */
  driver: v.optional(
    v.picklist(['bridge', 'simulated'], 'write "bridge" (Linux) or "simulated"'),
    'bridge',
  ),
  /** Networks to make once in the life of the pool. */
  networks: v.optional(v.pipe(v.array(NetworkSchema), v.maxLength(networksBound)), []),
});
export type NetworkConfiguration = v.InferOutput<typeof NetworkConfigurationSchema>;

/** Reads one `--networks NAME=BRIDGE` and adds it to those before. */
export function addNetwork(
  text: string,
  earlier: NetworkConfiguration['networks'] = [],
): NetworkConfiguration['networks'] {
  const [name, bridge, ...rest] = text.split('=');
  if (name === undefined || bridge === undefined || rest.length > 0)
    throw new InvalidArgumentError('Write NAME=BRIDGE, such as default=xenbr0.');
  return [...earlier, { name, bridge }];
}
