import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { missingFor, Peer } from '../../test/peers/peer.ts';
import type { ExitCode } from '../exit-codes.ts';
import { run, transcript, until } from '../testing/run.ts';

/** Commands whose outcome is the same whichever xenstored is asked, and what is printed. */
const commands: readonly (readonly [line: string, printed: string, exitCode?: ExitCode])[] = [
  ['write /vm/web/name web /vm/web/memory 262144', ''],
  ['read -p /vm/web/name /vm/web/memory', '/vm/web/name: web\n/vm/web/memory: 262144\n'],
  ['write /vm/bytes one\\ntwo\\xff', ''],
  ['read /vm/bytes', 'one\\ntwo\\xff\n'],
  ['mkdir /vm/tidy/away', ''],
  ['rm -t /vm/tidy/away', ''],
  ['exists /vm/tidy', '', 4],
  ['chmod -r /vm/web n0 r3', ''],
  ['rm /vm/bytes', ''],
  ['write /vm/web/memory 1', ''],
  ['rm /vm/web/memory', ''],
  ['ls -f -p /vm', '/vm/web = ""   (n0,r3)\n/vm/web/name = "web"   (n0,r3)\n'],
  ['list /vm', 'web\n'],
];

for (const name of ['xenstored', 'oxenstored'] as const) {
  const missing = missingFor(name);
  const title = `flotilla xenstore does the same with Debian's ${name}`;
  if (missing !== null) test.skip(`${title} (there is no ${missing})`, () => {});
  else
    test(title, async (t) => {
      const directory = mkdtempSync(join(tmpdir(), 'xenstore-cli-'));
      const peer = await Peer.start(name, join(directory, 'peer'));
      t.teardown(async () => {
        await peer.stop();
        rmSync(directory, { recursive: true, force: true });
      });
      const env = { XENSTORED_PATH: peer.socket };
      for (const [line, printed, exitCode = 0] of commands) {
        const ran = run(['xenstore', ...line.split(' ')], { env });
        t.is(await ran.exitCode, exitCode, `${line}: ${ran.stderr}`);
        t.is(ran.stdout, printed, line);
      }
      const missed = await transcript(['xenstore', 'read', '/none'], { env });
      t.regex(missed, /cannot read \/none: ENOENT: .*\n.*\n--- exit code 4/);
      const watching = run(['xenstore', 'watch', '-n', '2', '/w'], { env });
      await until(() => watching.stdout !== '');
      t.is(await run(['xenstore', 'write', '/w/a', '1'], { env }).exitCode, 0);
      t.is(await watching.exitCode, 0);
      t.is(watching.stdout, '/w\n/w/a\n');
    });
}
