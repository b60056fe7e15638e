import { bytes, milliseconds } from '../../base/units.ts';
import type { HostConfig } from './core/vocabulary.ts';

/** The host that is simulated when nothing else is said: brisk, yet slow enough to be watched. */
export const defaultHost: HostConfig = {
  cpus: 4,
  memory: bytes(16 * 2 ** 30),
  latency: {
    create: milliseconds(50),
    boot: milliseconds(400),
    shutdown: milliseconds(200),
    destroy: milliseconds(30),
  },
};
