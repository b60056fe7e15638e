import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Revision } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { nextPageToken, pageOf } from '../../../../pool/rpc/paging.ts';
import { bytesOf, textOf } from '../../core/payload.ts';
import { failureOf } from './failures.ts';
import type { Ask } from './requests.ts';

/** What a caller wants of a list: `transaction` is the daemon's number. */
export interface ListQuestion {
  readonly path: string;
  readonly transaction: number;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A page of a node's children. */
export interface ListPage {
  readonly children: readonly string[];
  readonly nextPageToken: string;
}

/**
 * One page of a list, read in as many parts as it takes (DIRECTORY_PART). The token is the generation
 * of the list and how many of its bytes have been read, so that pages that belong to different lists are
 * found out.
 */
export function listPage(ask: Ask, question: ListQuestion): Result<ListPage, Failure> {
  const { path, transaction } = question;
  const page = pageOf(question);
  if (!page.ok) return page;
  const { limit, after, revision } = page.value;
  const begin = Number(after ?? 0);
  if (!Number.isSafeInteger(begin) || begin < 0) return fail(failureOf('EINVAL', path));
  const children: string[] = [];
  let at = begin;
  for (;;) {
    const part = ask('DIRECTORY_PART', path, transaction, bytesOf(`${at}\0`));
    if (!part.ok) return part;
    const [generation = '', ...names] = textOf(part.value).split('\0').slice(0, -1);
    if (after !== undefined && Number(generation) !== (revision ?? 0)) return fail(changed);
    // What ends with an empty name is the last part.
    const isLast = names.at(-1) === '';
    if (isLast) names.pop();
    for (const name of names) {
      if (children.length === limit) {
        const next = { next: String(at), revision: Number(generation) as Revision };
        return ok({ children, nextPageToken: nextPageToken(next) });
      }
      children.push(name);
      at += name.length + 1;
    }
    if (isLast) return ok({ children, nextPageToken: '' });
  }
}

const changed: Failure = {
  reason: 'CONFLICT',
  message: 'the list of children has changed since the page before',
  remedy: 'Ask for the first page again, or read all pages in a transaction.',
  field: 'page_token',
};
