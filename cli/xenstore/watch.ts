import type { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import { verb, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { exitCodeOfStop, stopOn } from '../stop.ts';
import type { WatchNews } from './access.ts';
import { levels } from './ls.ts';
import { withXenstore, type XenstoreFlags, type XenstoreSession } from './session.ts';

interface WatchFlags extends XenstoreFlags {
  readonly count?: number;
  readonly depth?: number;
}

/** `flotilla xenstore watch`. */
export function watchCommand(context: Context): Command {
  const summary = 'Print a line whenever a node, or one below it, changes, until Ctrl-C';
  return verb(context, 'xenstore', 'watch <nodes...>', summary)
    .option('-n, --count <events>', 'end after so many lines', wholeNumber)
    .option('--depth <levels>', 'no deeper below the node than this', levels)
    .addHelpText('after', watchHelp)
    .action((paths: readonly string[], flags: WatchFlags) =>
      withXenstore(context, flags, (session) => watchAll(session, paths, flags)),
    );
}

const watchHelp = `
The first line of each node comes at once. @introduceDomain and @releaseDomain can be watched, too: with
--depth 1 the line has the number of the domain. With --json each line is an object: "path" is what changed,
"watched" the node that was given.`;

async function watchAll(
  session: XenstoreSession,
  paths: readonly string[],
  { count, depth }: WatchFlags,
): Promise<Result<ExitCode, Problem>> {
  const stop = stopOn({ context: session.context, pool: session });
  const enough = new AbortController();
  const signal = AbortSignal.any([stop.signal, enough.signal]);
  let left = count ?? Number.POSITIVE_INFINITY;
  const tell = (watched: string, news: WatchNews): 'go on' | 'stop' => {
    if (left <= 0) return 'stop';
    if (news.kind === 'missed') {
      session.note(`events below ${watched} were lost: read it again`);
      if (session.json) session.event({ watched, missed: true }, []);
      return 'go on';
    }
    session.event({ path: news.path, watched }, [news.path]);
    left -= 1;
    if (left > 0) return 'go on';
    enough.abort();
    return 'stop';
  };
  const outcomes = await Promise.all(
    paths.map(async (path) => {
      const outcome = await session.xenstore.watch(path, depth, (news) => tell(path, news), signal);
      // Where one cannot go on, whoever waits for any of them is told now.
      if (!outcome.ok) enough.abort();
      return outcome;
    }),
  );
  stop.release();
  for (const outcome of outcomes) if (!outcome.ok) return outcome;
  return ok(left <= 0 ? exitCodes.done : exitCodeOfStop(stop));
}
