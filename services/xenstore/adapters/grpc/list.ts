import { fail, ok, type Result } from '../../../../base/result.ts';
import type { Revision } from '../../../../pool/database.ts';
import type { Failure } from '../../../../pool/failure.ts';
import { nextPageToken, pageOf } from '../../../../pool/rpc/paging.ts';
import type { NodeOperations } from '../../client/nodes.ts';
import { clientFailure, failureOf } from './failures.ts';

/** What a caller wants of a list. */
export interface ListQuestion {
  readonly path: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A page of a node's children. */
export interface ListPage {
  readonly children: readonly string[];
  readonly nextPageToken: string;
}

/** Times that a first page is begun again, because the list changed between two of its parts. */
const attemptsMax = 8;

/**
 * One page of a list, read in as many parts as it takes (DIRECTORY_PART). The token is the generation
 * of the list and how many of its bytes have been read, so that pages that belong to different lists are
 * found out.
 */
export async function listPage(
  nodes: NodeOperations,
  question: ListQuestion,
): Promise<Result<ListPage, Failure>> {
  const page = pageOf(question);
  if (!page.ok) return page;
  const { limit, after, revision } = page.value;
  const begin = Number(after ?? 0);
  if (!Number.isSafeInteger(begin) || begin < 0) return fail(failureOf('EINVAL', question.path));
  const generation = after === undefined ? null : Number(revision ?? 0);
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const read = await readPage(nodes, question.path, { limit, begin, generation });
    if (!read.ok) return read;
    if (read.value !== null) return ok(read.value);
    if (generation !== null) break;
  }
  return fail(changed);
}

interface Wanted {
  readonly limit: number;
  readonly begin: number;
  /** Null: whichever the list has. */
  readonly generation: number | null;
}

/** Null: the list is not that of the generation, or no longer. */
async function readPage(
  nodes: NodeOperations,
  path: string,
  { limit, begin, generation }: Wanted,
): Promise<Result<ListPage | null, Failure>> {
  const children: string[] = [];
  let expected = generation;
  for (let at = begin; ; ) {
    const part = await nodes.listPart(path, at);
    if (!part.ok) return fail(clientFailure(part.error, path));
    const now = Number(part.value.generation);
    expected ??= now;
    if (now !== expected) return ok(null);
    for (const name of part.value.names) {
      if (children.length === limit) {
        const next = { next: String(at), revision: now as Revision };
        return ok({ children, nextPageToken: nextPageToken(next) });
      }
      children.push(name);
      at += name.length + 1;
    }
    if (part.value.last) return ok({ children, nextPageToken: '' });
  }
}

const changed: Failure = {
  reason: 'CONFLICT',
  message: 'the list of children has changed since the page before',
  remedy: 'Ask for the first page again, or read all pages in a transaction.',
  field: 'page_token',
};
