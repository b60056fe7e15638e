import { fail, ok, type Result } from '../../base/result.ts';
import type { Operation } from '../../proto/gen/flotilla.pool.v1.ts';
import { call } from '../connection/call.ts';
import { allPages } from '../connection/pages.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Problem } from '../problem.ts';
import { titleOf } from '../progress/progress.ts';
import type { Session } from '../session.ts';
import { operationListing } from './listing.ts';

const uuidLength = 36;

/** The operation of that id, or the only one whose id begins so: lists show the first 8 characters. */
export async function findOperation(
  session: Session,
  named: string,
): Promise<Result<Operation, Problem>> {
  if (named.length >= uuidLength)
    return call(session.pool, (to, settings) =>
      to.pool.getOperation({ operation: named }, settings),
    );
  const everything = operationListing({ active: false, resource: '' });
  const operations = await allPages(session.pool, everything.getPage);
  if (!operations.ok) return operations;
  const matching = operations.value.filter((operation) => operation.id.startsWith(named));
  const [first, ...others] = matching;
  if (first === undefined)
    return fail({
      exitCode: exitCodes.notFound,
      message: `there is no operation ${named}`,
      remedy: 'list those that are kept with `flotilla operation list`',
      reason: 'NOT_FOUND',
      resource: { type: 'operation', name: named },
    });
  if (others.length === 0) return ok(first);
  return fail({
    exitCode: exitCodes.usage,
    message: `${matching.length} operations begin with ${named}`,
    details: matching.slice(0, shown).map((each) => `${each.id}  ${titleOf(each)}`),
    remedy: 'write more of the id',
  });
}

/** Operations that an ambiguous beginning shows at most. */
const shown = 5;
