import type { Command } from 'commander';
import { fail, ok, type Result } from '../../../base/result.ts';
import { Cluster } from '../../../proto/gen/etcdserverpb.ts';
import { changesSomething, verb } from '../../command.ts';
import type { Context } from '../../context.ts';
import { type ExitCode, exitCodes } from '../../exit-codes.ts';
import { type Problem, wrongUsage } from '../../problem.ts';
import { agreed, type ChangeFlags } from '../change.ts';
import { listedMembers } from '../find-member.ts';
import { majorityChange } from '../majority.ts';
import { idText, titleOf } from '../report.ts';
import { type DatabaseSession, talksToDatabase, withDatabase } from '../session.ts';
import { addressOf, type Survey } from '../survey.ts';
import { clientAddress, peerAddresses, peerUrls } from './addresses.ts';
import { startingCommand } from './starting-command.ts';
import { waitForMember } from './wait.ts';

interface AddFlags extends ChangeFlags {
  readonly peer: readonly string[];
  readonly client?: string;
  readonly learner?: boolean;
  readonly wait?: boolean;
}

/** What may name a member: what `flotilla consensus --name` takes. */
const namePattern = /^[\w.-]{1,63}$/;

/** `flotilla pool member add`. */
export function addCommand(context: Context): Command {
  const summary = 'Let a new member in, and print the command that starts it';
  return talksToDatabase(changesSomething(verb(context, 'pool member', 'add <name>', summary)))
    .requiredOption(
      '--peer <addresses>',
      'HOST:PORT where it listens for the other members; several with commas',
      peerAddresses,
    )
    .option(
      '--client <address>',
      'HOST:PORT where it serves clients, for the command',
      clientAddress,
    )
    .option('--learner', 'keep it without a vote until `flotilla pool member promote`')
    .option('--wait', 'wait until it has caught up, and votes')
    .action((name: string, flags: AddFlags) =>
      withDatabase(context, flags, (session) => add(session, name, flags)),
    );
}

async function add(
  session: DatabaseSession,
  name: string,
  flags: AddFlags,
): Promise<Result<ExitCode, Problem>> {
  if (!namePattern.test(name))
    return fail(
      wrongUsage(`"${name}" is not a name`, 'write 1 to 63 of letters, digits, "_", "." and "-"'),
    );
  const all = await listedMembers(session);
  if (!all.ok) return all;
  const learner = flags.learner === true;
  const voters = all.value.members.filter((member) => !member.learner).length;
  const go = await agreed(session, flags, {
    would: `let ${name} at ${flags.peer.join(', ')} into the pool database`,
    means: [
      learner
        ? `it stays a learner: ${majorityChange(voters, voters)}`
        : `once it has caught up it votes: ${majorityChange(voters, voters + 1)}`,
    ],
    refused: taken(name, flags.peer, all.value),
  });
  if (!go.goesOn) return go.outcome;
  const peerURLs = peerUrls(flags.peer, all.value.members);
  const added = await session.database.call(
    (to, settings) => to.client(Cluster).memberAdd({ peerURLs, isLearner: learner }, settings),
    { changes: true },
  );
  if (!added.ok) return added;
  const id = added.value.member?.ID ?? 0n;
  // The built-in database lets nobody vote before it has caught up; etcd does.
  const votesAtOnce = !learner && added.value.member?.isLearner === false;
  const command = startingCommand({
    engine: votesAtOnce ? 'etcd' : session.database.engine,
    name,
    peer: flags.peer[0] ?? '',
    client: flags.client,
    isTls: peerURLs.some((url) => url.startsWith('https:')),
    others: added.value.members.filter((member) => member.ID !== id),
  });
  const said = [
    `${name} may join (id ${idText(id)})${votesAtOnce ? '' : learner ? ', and stays a learner' : ', and votes once it has caught up'}`,
    'start it with:',
    ...command,
  ];
  if (flags.wait !== true) {
    session.answer(
      { added: { name, id: idText(id), peerUrls: peerURLs }, command: text(command) },
      said,
    );
    return ok(exitCodes.done);
  }
  session.note(...said);
  return waitForMember(session, { id, name, learner });
}

function taken(name: string, peers: readonly string[], { members }: Survey): Problem | undefined {
  const problem = (message: string, remedy: string): Problem => ({
    exitCode: exitCodes.failed,
    reason: 'NAME_TAKEN',
    message,
    remedy,
  });
  if (members.some((member) => member.name === name))
    return problem(
      `there is a member "${name}" already`,
      `choose another name; a dead one is removed with \`flotilla pool member remove ${name}\``,
    );
  const other = members.find((member) =>
    member.peers.some((url) => peers.includes(addressOf(url))),
  );
  return other === undefined
    ? undefined
    : problem(`${titleOf(other)} has this peer address`, 'give one that is free');
}

/** Lines of a command that a shell reads as one. */
function text(lines: readonly string[]): string {
  return lines.map((line) => line.replace(/\\$/, '').trim()).join(' ');
}
