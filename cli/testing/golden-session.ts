import { type Assertions, isGolden } from './golden.ts';
import { transcript } from './run.ts';
import { type SimulatedPool, simulatedPool } from './simulated-pool.ts';

/** The part of ava's `t` that such a session needs. */
interface TestContext extends Assertions {
  teardown(undo: () => void): void;
}

/**
 * Runs command lines one after the other on a pool of its own, and compares all that was seen. MEMBERS
 * in a line stands for the addresses of the database's members.
 */
export async function goldenSession(
  t: TestContext,
  name: string,
  lines: readonly string[],
  prepare: (pool: SimulatedPool) => void = () => {},
  { hosts = 2, directory = '/' } = {},
): Promise<void> {
  const pool = await simulatedPool(hosts);
  t.teardown(() => pool.close());
  const members = pool.database.members.map(({ address }) => address);
  prepare(pool);
  const transcripts: string[] = [];
  for (const line of lines) {
    const argv = [
      ...line.replace('MEMBERS', members.join(',')).split(' '),
      '--pool',
      pool.addresses.join(','),
    ];
    transcripts.push(await transcript(argv, { directory }));
  }
  isGolden(t, name, withoutPorts(pool.addresses, members, transcripts.join('\n\n')));
}

/** The text with ports in place of those that chance chose; all of them have five digits. */
function withoutPorts(
  services: readonly string[],
  members: readonly string[],
  text: string,
): string {
  const without = services.reduce(
    (all, address, at) => all.replaceAll(address, `host-${at + 1}:7001`),
    text,
  );
  return members.reduce(
    (all, address, at) => all.replaceAll(address, `127.0.0.1:2379${at + 1}`),
    without,
  );
}
