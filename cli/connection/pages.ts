import type { ServiceError } from '@grpc/grpc-js';
import { bounds } from '../../base/bounds.ts';
import { ok, type Result } from '../../base/result.ts';
import type { CallSettings } from '../../proto/client.ts';
import type { Problem } from '../problem.ts';
import { call } from './call.ts';
import type { HostClients, PoolConnection } from './pool-connection.ts';

/** One page of a List call. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextPageToken: string;
}

/** Asks one host for the page of that token, with at most `pageSize` items. */
export type GetPage<Item> = (
  to: HostClients,
  page: { readonly pageSize: number; readonly pageToken: string },
  settings: CallSettings,
) => Promise<Result<Page<Item>, ServiceError>>;

/** Small enough that a page of VMs with all their disks stays below `bounds.messageSize`. */
const pageSize = 500;
/** No more pages than what a full pool's VMs fill: a server that never ends its list does not hold us. */
const pagesMax = Math.ceil((bounds.hosts * bounds.vmsPerHost) / pageSize);

/** All items of a list. */
export async function allPages<Item>(
  pool: PoolConnection,
  getPage: GetPage<Item>,
): Promise<Result<readonly Item[], Problem>> {
  const items: Item[] = [];
  let pageToken = '';
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await call(pool, (to, settings) => getPage(to, { pageSize, pageToken }, settings));
    if (!page.ok) return page;
    items.push(...page.value.items);
    pageToken = page.value.nextPageToken;
    if (pageToken === '') break;
  }
  return ok(items);
}

/** Turns a List call's response into a page; a failure stays what it is. */
export function pageOf<Response extends { readonly nextPageToken: string }, Item>(
  response: Result<Response, ServiceError>,
  items: (response: Response) => readonly Item[],
): Result<Page<Item>, ServiceError> {
  if (!response.ok) return response;
  const { nextPageToken } = response.value;
  return ok({ items: items(response.value), nextPageToken });
}
