import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { anywhere, type ClientFailure, XenstoreClient } from '../../../xenstore/client/index.ts';
import type { OwnNodes } from './blkback.ts';

/** The own directory of the domain that this process runs in; a connection for each call. */
export function ownNodes(): OwnNodes {
  return {
    read: (path) =>
      connected<string | null>(async (client) => {
        const read = await client.readText(path);
        if (read.ok) return read;
        return read.error.code === 'ENOENT' ? ok(null) : read;
      }),
    write: (path, value) => connected((client) => client.write(path, value)),
    remove: (path) => connected((client) => client.remove(path)),
  };
}

async function connected<Value>(
  use: (client: XenstoreClient) => Promise<Result<Value, ClientFailure>>,
): Promise<Result<Value, Failure>> {
  const client = await XenstoreClient.open(anywhere());
  if (!client.ok) return fail(unreachable(client.error));
  try {
    const used = await use(client.value);
    return used.ok ? used : fail(unreachable(used.error));
  } finally {
    client.value.close();
  }
}

function unreachable({ message }: ClientFailure): Failure {
  return {
    reason: 'STORAGE',
    message: `xenstore: ${message}`,
    remedy: 'See that the host has a xenstored, and that /dev/xen/xenbus may be opened.',
  };
}
