import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { XenstoredProcess, xenTool } from './xenstored-process.ts';

/** Debian's own commands, unmodified, against a xenstored that runs alone. */
const xenstored = new XenstoredProcess();

test.before(async (t) => {
  t.timeout(300_000);
  await xenstored.start();
});
test.after.always(() => xenstored.dispose());

/** A test that needs tools of Xen's; without them it is skipped by name. */
function withTools(
  title: string,
  names: readonly string[],
  body: (t: ExecutionContext, run: (line: string) => Promise<string>) => Promise<void>,
): void {
  const missing = names.filter((name) => xenTool(name) === undefined);
  if (missing.length > 0) {
    test.skip(`${title} (no ${missing.join(', ')} on this machine)`, () => {});
    return;
  }
  test.serial(title, async (t) => {
    t.timeout(300_000);
    await body(t, async (line) => {
      const [name = '', ...words] = line.split(' ');
      const ran = await xenstored.tool(xenTool(name) ?? name, ...words);
      return ran.code === 0 ? ran.stdout : `${ran.code} ${ran.stderr}`.trimEnd();
    });
  });
}

withTools(
  'xenstore-write, -read, -list, -ls, -chmod, -exists and -rm do what they do with any xenstored',
  ['write', 'read', 'list', 'ls', 'chmod', 'exists', 'rm'].map((verb) => `xenstore-${verb}`),
  async (t, run) => {
    t.is(await run('xenstore-write /e/a 1 /e/b two\\x21\\n'), '');
    t.is(await run('xenstore-read /e/a /e/b'), '1\ntwo!\\n\n');
    t.is(await run('xenstore-list /e'), 'a\nb\n');
    t.is(await run('xenstore-chmod -r /e n0 r7 b9'), '');
    t.is(
      await run('xenstore-ls -f -p /e'),
      '/e/a = "1"   (n0,r7,b9)\n/e/b = "two!\\n"   (n0,r7,b9)\n',
    );
    t.is(await run('xenstore-exists /e/a'), '');
    t.regex(await run('xenstore-exists /e/none'), /^1/);
    t.is(await run('xenstore-rm /e/a'), '');
    t.regex(await run('xenstore-read /e/a'), /couldn't read path \/e\/a/);
    t.is(await run('xenstore-rm -t /e/b'), '', 'and the directories that are empty then');
    t.regex(await run('xenstore-exists /e'), /^1/);
  },
);

withTools(
  'xenstore-ls shows a directory whose list is longer than a reply',
  ['xenstore-ls', 'xenstore-list', 'xenstore-write', 'xenstore-rm'],
  async (t, run) => {
    for (let part = 0; part < 10; part += 1) {
      const pairs = Array.from({ length: 100 }, (_, at) => `/many/child-${part}-${at} x`);
      t.is(await run(`xenstore-write ${pairs.join(' ')}`), '');
    }
    t.is((await run('xenstore-list /many')).trim().split('\n').length, 1000);
    t.is((await run('xenstore-ls -f /many')).trim().split('\n').length, 1000);
    t.is(await run('xenstore-rm /many'), '');
  },
);

withTools(
  'xenstore-watch tells of what is written by others',
  ['xenstore-watch', 'xenstore-write'],
  async (t, run) => {
    const watch = spawn(xenTool('xenstore-watch') ?? '', ['-n', '3', '/w', '/v'], {
      env: { ...process.env, XENSTORED_PATH: xenstored.socket },
    });
    const lines: string[] = [];
    const exited = once(watch, 'exit');
    createInterface({ input: watch.stdout }).on('line', (line) => {
      lines.push(line);
      if (lines.length === 2) void run('xenstore-write /w/a/b 1');
    });
    const [code] = await exited;
    t.is(code, 0);
    t.deepEqual(lines.sort(), ['/v', '/w', '/w/a/b']);
  },
);

withTools(
  'flotilla xenstore ls prints what xenstore-ls prints, and the escapes of either are those of the other',
  ['xenstore-ls', 'xenstore-read', 'xenstore-write'],
  async (t, run) => {
    const every = Array.from({ length: 255 }, (_, at) => `\\x${(at + 1).toString(16)}`).join('');
    t.is(await run('xenstore-write /l/a/b 1 /l/c two /l/a/d x'), '');
    const tree = await xenstored.flotilla('xenstore', 'ls', '/l');
    t.is(tree.stdout, await run('xenstore-ls /l'));
    // Of a tree, xenstore-ls cuts long values off.
    t.is(await run(`xenstore-write /l/every ${every}`), '');
    const shown = await xenstored.flotilla('xenstore', 'ls', '-f', '-p', '/l');
    t.is(shown.stdout, await run('xenstore-ls -f -p /l'));
    const read = (await run('xenstore-read /l/every')).trimEnd();
    t.is((await xenstored.flotilla('xenstore', 'read', '/l/every')).stdout.trimEnd(), read);
    t.is((await xenstored.flotilla('xenstore', 'write', '/l/again', read)).code, 0);
    t.is((await run('xenstore-read /l/again')).trimEnd(), read);
  },
);

withTools(
  'xenstore-control checks, shows and sets quotas, reports, logs and prints',
  ['xenstore-control', 'xenstore-write'],
  async (t, run) => {
    t.is(await run('xenstore-control check'), 'OK\n');
    t.regex(await run('xenstore-control quota'), /^nodes +: +1000 Nodes of a domain$/m);
    t.is(await run('xenstore-control quota set nodes 1234'), 'OK\n');
    t.regex(await run('xenstore-control quota'), /^nodes +: +1234 /m);
    t.regex(await run('xenstore-control quota 0'), /^Domain 0:$/m);
    t.regex(await run('xenstore-control quota max -r'), /^Max\. seen accounting values:$/m);
    t.is(await run('xenstore-control quota-soft set memory 1000000'), 'OK\n');
    t.regex(await run('xenstore-control quota-soft'), /^memory +: +1000000 /m);
    t.regex(await run('xenstore-control memreport'), /^domain 0: \d+ bytes, \d+ nodes/m);
    t.regex(await run('xenstore-control help'), /^logfile +<file>$/m);
    t.is(await run('xenstore-control log on'), 'OK\n');
    t.is(await run('xenstore-control logfile e2e.log'), 'OK\n');
    t.is(await run('xenstore-control log off'), 'OK\n');
    t.regex(await run('xenstore-control logfile /etc/e2e.log'), /Error 13/);
    t.is(await run('xenstore-control print moving'), 'OK\n');
    const printed = () => xenstored.log.find(({ msg }) => msg === 'CONTROL print');
    while (printed() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
    t.is(printed()?.text, 'moving');
    t.regex(await run('xenstore-control none'), /^3 Command not supported/);
  },
);

withTools("all of Debian's test-xenstore passes", ['test-xenstore'], async (t, run) => {
  const listed = (await run('test-xenstore -l')).trim().split('\n');
  const names = listed.map((line) => line.slice(0, line.indexOf(':')).trimEnd());
  t.true(names.length >= 12, listed.join('\n'));
  const ran = await run('test-xenstore -i 200');
  for (const name of names) t.true(ran.includes(`${name.padEnd(10)}: `), `${name} in:\n${ran}`);
  t.notRegex(ran, /fail|error/i, 'the clean-up of a failed test leaves words of it');
  for (const name of names) {
    const alone = await xenstored.tool(xenTool('test-xenstore') ?? '', '-i', '20', '-t', name);
    t.is(alone.code, 0, `${name}: ${alone.stdout}${alone.stderr}`);
  }
});

withTools('test-xenstore passes in a random order, too', ['test-xenstore'], async (t) => {
  const ran = await xenstored.tool(xenTool('test-xenstore') ?? '', '-r', '2');
  t.is(ran.code, 0, `${ran.stdout}${ran.stderr}`);
});
