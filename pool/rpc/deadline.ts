import { milliseconds } from '../../base/units.ts';

/**
 * How long a service of a host waits for an answer of another one of it, which may ask the pool's database and run a
 * program or two. Who serves such a call fits what it waits for in here, or its reason reaches nobody.
 */
export const serviceCallDeadline = milliseconds(30_000);
