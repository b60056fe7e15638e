import * as v from 'valibot';
import { bounds } from '../../base/bounds.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import type { CollectionPage } from '../collection.ts';
import type { Revision } from '../database.ts';
import type { Failure } from '../failure.ts';

/** What a List request says of its page. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** Longest token that is looked at: a key and a revision take less. */
const tokenLength = 512;

const TokenSchema = v.tuple([v.pipe(v.number(), v.safeInteger(), v.minValue(0)), v.string()]);

/** The page that a List request asks for, as `Collection.list` takes it. */
export function pageOf(request: PageRequest): Result<CollectionPage & { limit: number }, Failure> {
  const { pageSize, pageToken } = request;
  if (pageSize < 0 || pageSize > bounds.pageSizeMax) return fail(badPageSize(pageSize));
  const limit = pageSize === 0 ? bounds.pageSizeDefault : pageSize;
  if (pageToken === '') return ok({ limit });
  const token = decodeToken(pageToken);
  if (token === null) return fail(badPageToken);
  const [revision, after] = token;
  return ok({ limit, after, ...(revision > 0 ? { revision: revision as Revision } : {}) });
}

/** The token of the page after this one; empty on the last. */
export function nextPageToken(page: { next: string | null; revision: Revision }): string {
  return page.next === null ? '' : encodeToken(page.revision, page.next);
}

/**
 * Which part of a list that was made in memory is the page, and the token of the next. Positions are
 * in the list's order, and stay when other items come and go.
 */
export function pageItems<Item>(
  items: readonly Item[],
  positionOf: (item: Item) => string,
  page: { readonly after?: string | null | undefined; readonly limit: number },
): { items: readonly Item[]; nextPageToken: string } {
  const { after, limit } = page;
  const rest =
    after === null || after === undefined
      ? items
      : items.filter((item) => positionOf(item) > after);
  const part = rest.slice(0, limit);
  const last = part.at(-1);
  const isLast = last === undefined || rest.length <= limit;
  return { items: part, nextPageToken: isLast ? '' : encodeToken(0, positionOf(last)) };
}

function encodeToken(revision: number, after: string): string {
  return Buffer.from(JSON.stringify([revision, after])).toString('base64url');
}

function decodeToken(text: string): readonly [number, string] | null {
  if (text.length > tokenLength) return null;
  const json = Buffer.from(text, 'base64url').toString();
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), TokenSchema), json);
  return parsed.success ? parsed.output : null;
}

function badPageSize(size: number): Failure {
  return {
    reason: 'INVALID_FIELD',
    message: `a page of ${size} items cannot be asked for`,
    remedy: `Ask for 1 to ${bounds.pageSizeMax}, or 0 for ${bounds.pageSizeDefault}.`,
    field: 'page_size',
  };
}

const badPageToken: Failure = {
  reason: 'INVALID_FIELD',
  message: 'the page token is not one that a List call returned',
  remedy: 'Pass next_page_token back unchanged, or leave it out to start at the first page.',
  field: 'page_token',
};
