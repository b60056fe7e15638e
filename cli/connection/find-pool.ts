import { globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import * as v from 'valibot';
import { fail, ok, type Result } from '../../base/result.ts';
import { serviceNames } from '../../pool/records/host.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';

/** A host that the CLI may ask: where its vm-lifecycle service answers. */
export interface KnownHost {
  /** Its name, or its address where the name is not known. */
  readonly name: string;
  /** HOST:PORT. */
  readonly address: string;
  /** HOST:PORT of its member of the pool database, where that is known. */
  readonly member?: string | undefined;
}

/** Paths of the PEM files that the CLI proves itself with. */
export interface IdentityFiles {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** A cluster of etcd that a pool uses as its database, instead of members of its own. */
export interface ExternalDatabase {
  /** HOST:PORT of its members. At least one. */
  readonly endpoints: readonly string[];
  /** Null: plain text. `certificate` and `key` are left out where it does not ask who calls. */
  readonly tls: {
    readonly ca: string;
    readonly certificate?: string | undefined;
    readonly key?: string | undefined;
  } | null;
}

/** A pool, and how to talk to it. */
export interface PoolLocation {
  /** Its name, or its addresses where the name is not known. */
  readonly name: string;
  /** At least one. */
  readonly hosts: readonly KnownHost[];
  /** Null: plain text, which only loopback addresses allow. */
  readonly identity: IdentityFiles | null;
  /** Where its file is; left out where it was found by addresses. */
  readonly directory?: string | undefined;
  /** Left out: the database's members are the hosts' own. */
  readonly database?: ExternalDatabase | undefined;
}

/** What the command line and the environment say of the pool. */
export interface PoolChoice {
  /** `--pool`, else FLOTILLA_POOL. */
  readonly pool: string | undefined;
  /** `--identity`, else FLOTILLA_IDENTITY. */
  readonly identity: string | undefined;
  /** The current directory. */
  readonly directory: string;
}

/** A pool's client file with 64 hosts is below 64 KiB; what is larger is not one. */
const poolFileSizeMax = 2 ** 20;

const PoolFileSchema = v.object({
  name: v.string(),
  hosts: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        endpoints: v.intersect([
          v.object({ 'vm-lifecycle': v.string() }),
          v.record(v.picklist(serviceNames), v.string()),
        ]),
      }),
    ),
    v.minLength(1),
  ),
  identity: v.nullable(v.object({ ca: v.string(), certificate: v.string(), key: v.string() })),
  database: v.optional(
    v.object({
      endpoints: v.pipe(v.array(v.string()), v.minLength(1)),
      tls: v.nullable(
        v.object({
          ca: v.string(),
          certificate: v.optional(v.string()),
          key: v.optional(v.string()),
        }),
      ),
    }),
  ),
});

/** HOST:PORT; an IPv6 host stands in brackets. */
export const hostAndPort = /^(\[[0-9a-fA-F:]+\]|[^\s/:,]+):\d{1,5}$/;

/**
 * Finds the pool that a command is about: what was chosen, else `.flotilla/pool.json` in the current
 * directory or the nearest parent that has one.
 */
export function findPool(choice: PoolChoice): Result<PoolLocation, Problem> {
  if (choice.pool !== undefined) {
    const addresses = choice.pool.split(',').filter((each) => each !== '');
    if (addresses.length > 0 && addresses.every((each) => hostAndPort.test(each)))
      return ok(poolAt(addresses, choice));
    return readPool(choice.pool, choice);
  }
  for (let directory = resolve(choice.directory); ; directory = dirname(directory)) {
    const file = join(directory, '.flotilla', 'pool.json');
    if (kindOf(file) === 'file') return readPoolFile(file, choice);
    if (directory === dirname(directory)) break;
  }
  return fail(
    unfound(
      'no pool was named, and there is no .flotilla/pool.json here or in a parent directory',
      'start one with `flotilla up`, or name one with --pool or FLOTILLA_POOL: its directory, its pool.json, or HOST:PORT,HOST:PORT',
    ),
  );
}

function poolAt(addresses: readonly string[], choice: PoolChoice): PoolLocation {
  const { identity } = choice;
  return {
    name: addresses.join(','),
    hosts: addresses.map((address) => ({ name: address, address })),
    identity: identity === undefined ? null : identityIn(resolve(choice.directory, identity)),
  };
}

/**
 * The files of an identity: certificate.pem and key.pem, or the one pair NAME.pem and NAME-key.pem, as
 * `flotilla up` writes it. What is missing is told by whoever reads the files.
 */
export function identityIn(directory: string): IdentityFiles {
  const keys = globSync('*-key.pem', { cwd: directory });
  const [key] = keys;
  if (keys.length === 1 && key !== undefined && kindOf(join(directory, 'key.pem')) === 'nothing')
    return {
      ca: join(directory, 'ca.pem'),
      certificate: join(directory, key.replace(/-key\.pem$/, '.pem')),
      key: join(directory, key),
    };
  return {
    ca: join(directory, 'ca.pem'),
    certificate: join(directory, 'certificate.pem'),
    key: join(directory, 'key.pem'),
  };
}

function readPool(named: string, choice: PoolChoice): Result<PoolLocation, Problem> {
  const path = resolve(choice.directory, named);
  const candidates = [path, join(path, 'pool.json'), join(path, '.flotilla', 'pool.json')];
  const file = candidates.find((candidate) => kindOf(candidate) === 'file');
  if (file !== undefined) return readPoolFile(file, choice);
  return fail(
    unfound(
      kindOf(path) === 'directory'
        ? `${named} has no pool.json`
        : `${named} is neither a directory, nor a file, nor HOST:PORT,HOST:PORT`,
      'name the directory that `flotilla up --dir` was given, its pool.json, or the addresses of its vm-lifecycle services',
    ),
  );
}

function readPoolFile(file: string, choice: PoolChoice): Result<PoolLocation, Problem> {
  const broken = (why: string): Result<PoolLocation, Problem> =>
    fail(
      unfound(
        `${file} is not a pool's client file: ${why}`,
        'start `flotilla up` again: it writes the file anew',
      ),
    );
  let content: unknown;
  try {
    if (statSync(file).size > poolFileSizeMax) return broken('it is larger than 1 MiB');
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return broken(error instanceof Error ? error.message : String(error));
  }
  const parsed = v.safeParse(PoolFileSchema, content);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return broken(`${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
  }
  const { name, hosts, identity, database } = parsed.output;
  const from = (path: string): string => resolve(dirname(file), path);
  const own =
    identity === null
      ? null
      : {
          ca: from(identity.ca),
          certificate: from(identity.certificate),
          key: from(identity.key),
        };
  return ok({
    name,
    directory: dirname(file),
    hosts: hosts.map(({ name, endpoints }) => ({
      name,
      address: endpoints['vm-lifecycle'],
      member: endpoints.consensus,
    })),
    identity:
      choice.identity === undefined ? own : identityIn(resolve(choice.directory, choice.identity)),
    ...(database === undefined
      ? {}
      : { database: { ...database, tls: pathsFrom(database.tls, from) } }),
  });
}

function pathsFrom(
  tls: ExternalDatabase['tls'],
  from: (path: string) => string,
): ExternalDatabase['tls'] {
  if (tls === null) return null;
  const { ca, certificate, key } = tls;
  return {
    ca: from(ca),
    ...(certificate === undefined ? {} : { certificate: from(certificate) }),
    ...(key === undefined ? {} : { key: from(key) }),
  };
}

function unfound(message: string, remedy: string): Problem {
  return { exitCode: exitCodes.unreachable, message, remedy };
}

function kindOf(path: string): 'file' | 'directory' | 'nothing' {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'nothing';
  return found.isDirectory() ? 'directory' : 'file';
}
