import { Command } from 'commander';
import { ok, type Result } from '../../base/result.ts';
import {
  type OfflineSettings,
  parseCluster,
  type RawSettings,
  readOfflineSettings,
  readSettingsFile,
} from '../settings.ts';
import { type Recovery, recover } from './recover.ts';
import { restore } from './restore.ts';

interface OfflineFlags {
  readonly config?: string;
  readonly name?: string;
  readonly dataDir?: string;
  readonly initialClusterToken?: string;
}

interface RestoreFlags extends OfflineFlags {
  readonly initialCluster?: string;
}

/** `flotilla consensus restore`: a data directory from what `flotilla pool snapshot save` saved. */
export function restoreCommand(): Command {
  return new Command('restore')
    .description(
      'Make the data directory of a first member of a new pool, from a saved pool database.',
    )
    .argument('<snapshot>', 'what `flotilla pool snapshot save` or `etcdctl snapshot save` wrote')
    .option('--name <name>', 'the member, as --initial-cluster names it')
    .option('--data-dir <dir>', 'the directory to make')
    .option('--initial-cluster <n=host:port,...>', 'peer addresses of all members of the new pool')
    .option('--initial-cluster-token <token>', 'what the members will be started with, if anything')
    .option('--config <file>', 'all of these, as the member is started with it; flags go before')
    .addHelpText('after', restoreHelp)
    .action(async (snapshot: string, flags: RestoreFlags) => {
      const settings = offlineSettings('restore', flags, ({ initialCluster }) =>
        flags.initialCluster === undefined ? initialCluster : parseCluster(flags.initialCluster),
      );
      const { pool, saved, revision } = orEnd(await restore({ ...settings, snapshot }), 1);
      const { name, dataDir, initialCluster } = settings;
      process.stdout.write(
        `made ${dataDir} for ${name} of the new pool ${pool}: what was saved at revision ${saved}, ` +
          `going on from ${revision}\n` +
          others([...initialCluster.keys()].filter((other) => other !== name)),
      );
    });
}

function others(names: readonly string[]): string {
  return names.length === 0
    ? 'Start it with the same --name and --initial-cluster.\n'
    : `Do the same, from the same file, for ${names.join(', ')}; then start all of them.\n`;
}

const restoreHelp = `
All members restore the same file with the same --initial-cluster, each on its own host, and are then
started with it. The pool is a new one: members of the former pool are refused. Its revisions go on
far after the saved ones, and its history begins there: clients that watch begin anew. The directory
is made beside its place and renamed when it is whole.`;

interface RecoverFlags extends OfflineFlags {
  readonly listenPeer?: string;
  readonly theOthersNeverComeBack?: true;
}

/** `flotilla consensus recover`: what is left of a pool that has lost its majority goes on. */
export function recoverCommand(): Command {
  return new Command('recover')
    .description(
      'After the loss of a majority: make a member that is left the only one of a NEW pool.',
    )
    .option('--name <name>', 'the member that is left')
    .option('--data-dir <dir>', 'its data directory; the member must not be running')
    .option('--listen-peer <host:port>', 'where it will listen for members that join')
    .option('--initial-cluster-token <token>', 'what it is started with, if anything')
    .option('--config <file>', 'all of these, as the member is started with it; flags go before')
    .option('--the-others-never-come-back', 'do it; without this, only tell what would be done')
    .addHelpText('after', recoverHelp)
    .action(async (flags: RecoverFlags) => {
      const settings = offlineSettings('recover', flags, ({ name, listenPeer }) => ({
        [String(flags.name ?? name)]: flags.listenPeer ?? listenPeer,
      }));
      const listenPeer = settings.initialCluster.get(settings.name) ?? '';
      const confirmed = flags.theOthersNeverComeBack === true;
      const recovery = orEnd(await recover({ ...settings, listenPeer, confirmed }), 1);
      process.stdout.write(told(settings.name, listenPeer, recovery));
    });
}

const recoverHelp = `
Only if a majority of the voters is lost for ever: while they may come back, start them instead.
Run it without --the-others-never-come-back in the data directory of every member that is left, and
choose the one whose last entry has the highest term, and among those the highest index: what others
had beyond it is lost. All other members of the former pool must never start again on their data; they
are refused if they do. They join the new pool with empty data directories.`;

function told(name: string, listenPeer: string, recovery: Recovery): string {
  const { member, last, commit, pool, newPool } = recovery;
  const lines = [
    `member ${name} (${member.toString(16)}) of the pool ${pool}, ${recovery.isVoter ? 'a voter' : 'a LEARNER: a voter may have more'}`,
    `  last entry: index ${last.index} of term ${last.term}; known to be committed: up to ${commit}`,
    ...recovery.others.map(
      (other) => `  other member: ${other.member.toString(16)} at ${other.peers.join(', ')}`,
    ),
    '',
    'What other members had acknowledged beyond the last entry is LOST, and what was not acknowledged',
    'up to there may take effect. No other member of this pool may EVER start again on its data.',
    '',
  ];
  if (newPool === null)
    lines.push(
      'Nothing was changed. To go on with this member alone: --the-others-never-come-back',
    );
  else
    lines.push(
      `${name} is now the only member of the NEW pool ${newPool}: start it, listening for members at`,
      `${listenPeer}. To have more: flotilla pool member add NAME --peer HOST:PORT, then start each`,
      'with an empty data directory and --initial-cluster-state existing.',
    );
  return `${lines.join('\n')}\n`;
}

/** What both commands are told; ends the process where that is wrong. */
function offlineSettings(
  command: string,
  { config, name, dataDir, initialClusterToken }: OfflineFlags,
  clusterOf: (file: RawSettings) => unknown,
): OfflineSettings {
  const file = orEnd(config === undefined ? ok<RawSettings>({}) : readSettingsFile(config), 2);
  const given = {
    name: name ?? file.name,
    dataDir: dataDir ?? file.dataDir,
    initialCluster: clusterOf(file),
    clusterToken: initialClusterToken ?? file.clusterToken,
  };
  return orEnd(readOfflineSettings(given, config ?? `flotilla consensus ${command}`), 2);
}

/** The value, or the end of the process with the failure's sentence. */
function orEnd<Value>(result: Result<Value, string>, exitCode: number): Value {
  if (result.ok) return result.value;
  process.stderr.write(`error: ${result.error}\n`);
  process.exit(exitCode);
}
