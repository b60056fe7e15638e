import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { errnoOf, replaceFile } from '../../../../base/durable-file.ts';
import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import type { BridgeDriver } from './bridge-driver.ts';

const StateSchema = v.object({
  /** The MTU of each bridge. */
  bridges: v.record(v.string(), v.number()),
  /** The bridge of each interface. */
  joined: v.record(v.string(), v.string()),
});
type State = v.InferOutput<typeof StateSchema>;

/**
 * Bridges that only a file knows of, for hosts whose domains are simulated: any name is taken for an
 * interface that exists. The file stands for the kernel, which outlives the service.
 */
export async function simulatedBridges(path: string): Promise<Result<BridgeDriver, Failure>> {
  const read = await readState(path);
  if (!read.ok) return read;
  let state = read.value;
  const become = async (next: State): Promise<Result<void, Failure>> => {
    if (JSON.stringify(next) === JSON.stringify(state)) return ok(undefined);
    try {
      await replaceFile(path, JSON.stringify(next));
      state = next;
      return ok(undefined);
    } catch (error) {
      return fail(fileFailure('write', path, error));
    }
  };
  return ok({
    ensure: ({ name, mtu }) => become({ ...state, bridges: { ...state.bridges, [name]: mtu } }),
    present: () => Promise.resolve(ok(true)),
    join: (name, bridge) => {
      if (!(bridge.name in state.bridges)) return Promise.resolve(fail(noBridge(bridge.name)));
      return become({ ...state, joined: { ...state.joined, [name]: bridge.name } });
    },
    leave: (name) => {
      const { [name]: _, ...joined } = state.joined;
      return become({ ...state, joined });
    },
    joined: () =>
      Promise.resolve(
        ok(Object.entries(state.joined).map(([name, bridge]) => ({ interface: name, bridge }))),
      ),
  });
}

async function readState(path: string): Promise<Result<State, Failure>> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const text = await readFile(path, 'utf8');
    const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), StateSchema), text);
    return parsed.success ? ok(parsed.output) : fail(damaged(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return ok({ bridges: {}, joined: {} });
    return fail(fileFailure('read', path, error));
  }
}

/** An error that is not the system's is a bug, and is thrown on. */
function fileFailure(doing: string, path: string, error: unknown): Failure {
  const errno = errnoOf(error);
  if (errno === null) throw error;
  return {
    reason: 'NETWORK',
    message: `cannot ${doing} ${path}: the system answered ${errno}`,
    remedy: 'Give the user that runs network all rights there, and see that the disk has room.',
  };
}

function damaged(path: string): Failure {
  return {
    reason: 'NETWORK',
    message: `${path}, the state of simulated bridges, is damaged`,
    remedy: 'Delete it: bridges are made anew when they are needed.',
  };
}

function noBridge(name: string): Failure {
  return {
    reason: 'NETWORK',
    message: `there is no bridge ${name}`,
    remedy: 'Prepare its network first.',
  };
}
