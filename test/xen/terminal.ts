import type { ControlDomain } from './control-domain.ts';

/** What a person's keys do besides reaching the host. */
const keys = { stop: 0x1d, next: 0x1c } as const;

/** What is said before the first prompt. */
export const keysHelp = 'Ctrl-] or exit stops all hosts, Ctrl-\\ goes to the next host';

/**
 * Connects this terminal to a shell on each of the hosts, one at a time, until the person leaves
 * (Ctrl-]) or one of the shells ends. All shells keep running while another one is looked at.
 */
export async function converse(hosts: readonly ControlDomain[]): Promise<void> {
  const { stdin, stdout } = process;
  const size = { rows: stdout.rows || 24, columns: stdout.columns || 80 };
  const over = Promise.withResolvers<void>();
  let current = 0;
  const shells = hosts.map((host, index) =>
    host.attach(['bash', '-l'], size, {
      output: (chunk) => index === current && stdout.write(chunk),
      end: over.resolve,
    }),
  );
  const press = (key: number): void => {
    if (key === keys.stop) over.resolve();
    else if (key === keys.next) {
      current = (current + 1) % hosts.length;
      stdout.write(`\r\n(${hosts[current]?.name})\r\n`);
      // A form feed has the shell draw its prompt again.
      shells[current]?.write(Buffer.from('\f'));
    } else shells[current]?.write(Buffer.from([key]));
  };
  const take = (chunk: Buffer): void => {
    for (const key of chunk) press(key);
  };
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', take);
  await over.promise;
  stdin.off('data', take);
  stdin.pause();
  if (stdin.isTTY) stdin.setRawMode(false);
  for (const shell of shells) shell.close();
}
