import type { Command } from 'commander';
import { ok, type Result } from '../../../base/result.ts';
import { Cluster } from '../../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import type { Problem } from '../../problem.ts';
import { agreed, type ChangeFlags } from '../change.ts';
import { findMember } from '../find-member.ts';
import { idText, titleOf } from '../report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from '../session.ts';
import { addressOf } from '../survey.ts';
import { peerAddresses, peerUrls } from './addresses.ts';

interface UpdateFlags extends ChangeFlags {
  readonly peer: readonly string[];
}

/** `flotilla pool member update`. */
export function updateCommand(context: Context): Command {
  const summary = 'Tell the others where a member listens for them from now on';
  return talksToDatabase(changesSomething(verb(context, 'pool member', 'update <member>', summary)))
    .requiredOption(
      '--peer <addresses>',
      'HOST:PORT where it listens for the other members; several with commas',
      peerAddresses,
    )
    .action((named: string, flags: UpdateFlags) =>
      withDatabase(context, flags, (session) => update(session, named, flags)),
    );
}

async function update(
  session: DatabaseSession,
  named: string,
  flags: UpdateFlags,
): Promise<Result<ExitCode, Problem>> {
  const found = await findMember(session, named);
  if (!found.ok) return found;
  const { member, all } = found.value;
  const title = titleOf(member);
  const peerURLs = peerUrls(flags.peer, all.members);
  const go = await agreed(session, flags, {
    would: `have the others reach ${title} at ${flags.peer.join(', ')}`,
    means: [`now it is ${member.peers.map(addressOf).join(', ')}`],
  });
  if (!go.goesOn) return go.outcome;
  const done = await session.database.call(
    (to, settings) => to.client(Cluster).memberUpdate({ ID: member.id, peerURLs }, settings),
    { changes: true },
  );
  if (!done.ok) return done;
  session.answer({ updated: { name: member.name, id: idText(member.id), peerUrls: peerURLs } }, [
    `the others reach ${title} at ${flags.peer.join(', ')} from now on; start it with --listen-peer of that address`,
  ]);
  return ok(exitCodes.done);
}
