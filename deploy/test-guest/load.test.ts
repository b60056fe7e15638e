import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { type LoadReport, loadReports } from '../../test/xen/load-report.ts';
import { missingFor } from '../guest-image/boot/missing.ts';
import { buildLoad } from './test-guest.ts';

/** The region of the disk that the program uses (disk.c). */
const region = { start: 8 * 2 ** 20, end: 16 * 2 ** 20 };

/** Somebody who sends back what comes, or something else. */
async function openEcho() {
  const peers = new Set<Socket>();
  let spoils = false;
  const server = createServer((peer) => {
    peers.add(peer);
    peer.on('error', () => peer.destroy());
    peer.on('data', (data) => {
      if (spoils) data.fill('?');
      peer.write(data);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    drop: () => {
      for (const peer of peers) peer.destroy();
      peers.clear();
    },
    spoil: () => {
      spoils = true;
    },
    close: () => server.close(),
  };
}

/** A load that runs as a process on this machine, on a file for a disk. */
class Load {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #said = '';

  constructor(command: readonly [string, ...string[]]) {
    const [program, ...words] = command;
    this.#process = spawn(program, words);
    this.#ended = once(this.#process, 'close');
    this.#process.stdout?.on('data', (data: Buffer) => {
      this.#said += data.toString();
    });
  }

  get said(): string {
    return this.#said;
  }

  /** Asks until the report is what is waited for. */
  async reports(isIt: (report: LoadReport) => boolean): Promise<LoadReport> {
    for (let looks = 0; looks < 600; looks += 1) {
      if (this.#said.includes('load: goes on')) this.#process.kill('SIGUSR1');
      await sleep(100);
      const report = loadReports(this.#said).at(-1);
      if (report !== undefined && isIt(report)) return report;
    }
    throw new Error(`no such report: ${this.#said.slice(-2000)}`);
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.#process.kill(signal);
    await this.#ended;
  }
}

interface Parts {
  readonly load: Load;
  readonly disk: string;
  readonly echo: Awaited<ReturnType<typeof openEcho>>;
}

/** Refuses a process that it starts to write beyond the place where the region starts. */
const limited = ['sh', '-c', `trap '' XFSZ; ulimit -f ${region.start / 512}; exec "$@"`, 'sh'];

async function withLoad(
  work: (parts: Parts) => Promise<void>,
  starter: readonly string[] = [],
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'load-'));
  const disk = join(directory, 'disk');
  const file = await open(disk, 'w');
  await file.truncate(region.end);
  await file.close();
  const echo = await openEcho();
  const program = await buildLoad(() => undefined);
  const [first = program, ...rest] = [...starter, program];
  const load = new Load([first, ...rest, disk, '127.0.0.1', `${echo.port}`]);
  try {
    await work({ load, disk, echo });
  } finally {
    await load.end('SIGKILL');
    echo.drop();
    echo.close();
    await rm(directory, { recursive: true });
  }
}

const missing = await missingFor('x86_64');
const run = missing === null && process.arch === 'x64' ? test : test.skip;
const where = missing === null ? '' : ` (skipped: no ${missing})`;

run(`a load counts what goes well, and reports once more when it is ended${where}`, async (t) => {
  await withLoad(async ({ load }) => {
    const report = await load.reports(({ rounds, lines }) => rounds > 2 && lines > 2);
    t.like(report, { wrong: 0, errors: 0, connections: 1, lost: 0, garbled: 0 });
    const asked = loadReports(load.said).length;
    await load.end('SIGTERM');
    t.true(loadReports(load.said).length > asked);
  });
});

run(`a load tells data that is not as it was written${where}`, async (t) => {
  await withLoad(async ({ load, disk }) => {
    await load.reports(({ rounds }) => rounds > 1);
    const file = await open(disk, 'r+');
    const spoilt = Buffer.alloc(region.end - region.start, 1);
    for (let found = false; !found; ) {
      // Between its write and its next look at the same place, or at an older one.
      await file.write(spoilt, 0, spoilt.length, region.start);
      await file.sync();
      found = await load.reports(() => true).then(({ wrong }) => wrong > 0);
    }
    await file.close();
    t.regex(load.said, /slot \d+ of the disk is not as round \d+ wrote it; its first word says/);
    t.is((await load.reports(() => true)).errors, 0);
  });
});

run(`a load tells a disk that fails${where}`, async (t) => {
  await withLoad(async ({ load }) => {
    const report = await load.reports(({ rounds, lines }) => rounds > 2 && lines > 2);
    t.true(report.errors > 2);
    t.like(report, { wrong: 0, lost: 0 });
    t.regex(load.said, /writing slot \d+ of the disk: File too large/);
  }, limited);
});

run(
  `a load tells lines that come back as others, and connects again when it is cut off${where}`,
  async (t) => {
    await withLoad(async ({ load, echo }) => {
      const first = await load.reports(({ lines }) => lines > 1);
      echo.drop();
      const again = await load.reports(({ lines }) => lines > first.lines + 2);
      t.like(again, { connections: 2, lost: 1, garbled: 0 });
      echo.spoil();
      await load.reports(({ garbled }) => garbled > 0);
      t.regex(load.said, /line \d+ came back as something else/);
    });
  },
);

run(`a load counts a pause that has not ended yet${where}`, async (t) => {
  await withLoad(async ({ load, echo }) => {
    await load.reports(({ lines }) => lines > 1);
    echo.close();
    echo.drop();
    const lost = await load.reports((report) => report.lost === 1);
    const silent = await load.reports(({ rounds }) => rounds > lost.rounds + 4);
    t.is(silent.lines, lost.lines);
    t.true(silent.silence > 0);
  });
});
