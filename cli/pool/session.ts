import { resolve } from 'node:path';
import type { Command } from 'commander';
import { isLoopback } from '../../base/loopback.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { milliseconds } from '../../base/units.ts';
import { call } from '../connection/call.ts';
import {
  type ExternalDatabase,
  findPool,
  hostAndPort,
  identityIn,
  type PoolLocation,
} from '../connection/find-pool.ts';
import { connectPool } from '../connection/pool-connection.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../exit-codes.ts';
import { type Problem, wrongUsage } from '../problem.ts';
import { type PoolFlags, poolChoice, report, type Voice, voiceOf } from '../session.ts';
import { type Database, openDatabase } from './database.ts';

/** The flags of every command that asks the members of the database themselves. */
export interface DatabaseFlags extends PoolFlags {
  readonly endpoints?: string;
}

/** Adds `--endpoints`. */
export function talksToDatabase(command: Command): Command {
  return command.option(
    '--endpoints <addresses>',
    'HOST:PORT,HOST:PORT of members of a pool database, in place of those of the pool',
  );
}

/** One command at work: its words, and the members of the database that it is about. */
export interface DatabaseSession extends Voice {
  readonly database: Database;
  /** What the command may stop for: see `stopOn`. */
  readonly pool: Database;
}

/** Where the members are, and how they are spoken to. */
interface Place {
  readonly name: string;
  readonly engine: Database['engine'];
  readonly endpoints: readonly string[];
  readonly names?: ReadonlyMap<string, string>;
  readonly tls: ExternalDatabase['tls'];
}

/** Finds the members of the database, runs the command, and reports how it ended. */
export async function withDatabase(
  context: Context,
  flags: DatabaseFlags,
  body: (session: DatabaseSession) => Promise<Result<ExitCode, Problem>>,
): Promise<void> {
  const json = flags.json === true;
  const database = await findDatabase(context, flags);
  if (!database.ok) return report(context, json, database.error);
  try {
    const session = { ...voiceOf(context, json), database: database.value, pool: database.value };
    const outcome = await body(session);
    if (!outcome.ok) return report(context, json, outcome.error);
    context.finish(outcome.value);
  } finally {
    database.value.close();
  }
}

/** The database that the flags, and the environment, are about. */
export async function findDatabase(
  context: Context,
  flags: DatabaseFlags,
): Promise<Result<Database, Problem>> {
  const place = await placeOf(context, flags);
  return place.ok ? databaseAt(context, flags, place.value) : place;
}

/** The database of a pool that a command has found already; `endpoints` where its file tells none. */
export function databaseOfPool(
  context: Context,
  flags: PoolFlags,
  location: PoolLocation,
  endpoints: readonly string[],
): Promise<Result<Database, Problem>> {
  const place = placeOfPool(location);
  const known = place.endpoints.length > 0 ? place : { ...place, endpoints };
  return databaseAt(context, flags, known);
}

const howToShow =
  'name the directory of ca.pem, certificate.pem and key.pem with --identity or FLOTILLA_IDENTITY';

async function databaseAt(
  context: Context,
  flags: PoolFlags,
  { name, engine, endpoints, names, tls }: Place,
): Promise<Result<Database, Problem>> {
  const remote = endpoints.find((endpoint) => !isLoopback(endpoint));
  if (tls === null && remote !== undefined)
    return fail(
      wrongUsage(
        `${remote} is another machine, and plain text is for this machine only`,
        howToShow,
      ),
    );
  // Loaded when it is needed: most of the time that a short command takes is loading code.
  const { storeCredentials } = await import('../../pool/etcd/tls.ts');
  const credentials = await storeCredentials(tls);
  if (!credentials.ok) {
    const { message, remedy } = credentials.error;
    return fail(wrongUsage(message, engine === 'etcd' ? remedy : howToShow));
  }
  return ok(
    openDatabase({
      name,
      engine,
      endpoints,
      names: names ?? new Map(),
      credentials: credentials.value,
      timeout: flags.timeout,
      now: context.now,
      onWait: ({ message }) => {
        if (flags.json !== true) context.stderr.write(`waiting for the database: ${message}\n`);
      },
    }),
  );
}

async function placeOf(context: Context, flags: DatabaseFlags): Promise<Result<Place, Problem>> {
  const choice = poolChoice(context, flags);
  if (flags.endpoints !== undefined) {
    const endpoints = flags.endpoints.split(',').map((each) => each.replace(/^https?:\/\//, ''));
    const { identity } = choice;
    if (!endpoints.every((each) => hostAndPort.test(each)))
      return fail(
        wrongUsage(
          `--endpoints ${flags.endpoints} is not HOST:PORT,HOST:PORT`,
          'give where members serve clients, such as 127.0.0.1:2379',
        ),
      );
    return ok({
      name: flags.endpoints,
      engine: 'consensus',
      endpoints,
      tls: identity === undefined ? null : identityIn(resolve(choice.directory, identity)),
    });
  }
  const location = findPool(choice);
  if (!location.ok) return location;
  const place = placeOfPool(location.value);
  if (place.endpoints.length > 0) return ok(place);
  const endpoints = await endpointsOfServices(context, flags, location.value);
  return endpoints.ok ? ok({ ...place, endpoints: endpoints.value }) : endpoints;
}

function placeOfPool({ name, hosts, identity, database }: PoolLocation): Place {
  if (database !== undefined) return { name, engine: 'etcd', ...database };
  const names = new Map(
    hosts.flatMap((host) => (host.member === undefined ? [] : [[host.member, host.name] as const])),
  );
  return { name, engine: 'consensus', endpoints: [...names.keys()], names, tls: identity };
}

/** A pool that was named by the addresses of its services: they know their database. */
async function endpointsOfServices(
  context: Context,
  flags: PoolFlags,
  location: PoolLocation,
): Promise<Result<readonly string[], Problem>> {
  const pool = await connectPool(location, { now: context.now, timeout: flags.timeout });
  if (!pool.ok) return pool;
  const answer = await call(
    pool.value,
    (to, settings) => to.pool.getPool({}, settings),
    milliseconds(3000),
  );
  pool.value.close();
  if (!answer.ok) return answer;
  const endpoints = answer.value.databaseMembers.map((member) => member.clientAddress);
  return ok(endpoints.filter((endpoint) => hostAndPort.test(endpoint)));
}
