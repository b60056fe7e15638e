import type { ClientReadableStream } from '@grpc/grpc-js';
import { ok, type Result } from '../base/result.ts';
import type { Milliseconds } from '../base/units.ts';
import type { CallSettings } from '../proto/client.ts';
import { allPages, type GetPage } from './connection/pages.ts';
import type { HostClients } from './connection/pool-connection.ts';
import { type WatchEvent, watch } from './connection/watch.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { liveRegion } from './output/live-region.ts';
import type { Style } from './output/style.ts';
import { type Column, tableLines } from './output/table.ts';
import type { Problem } from './problem.ts';
import type { Session } from './session.ts';
import { exitCodeOfStop, stopOn } from './stop.ts';

/** How things of one kind are listed and watched. */
export interface Listing<Item, Event extends WatchEvent> {
  readonly columns: readonly Column[];
  row(item: Item, now: Milliseconds, style: Style): readonly string[];
  /** Said in place of an empty table. */
  readonly empty: readonly string[];
  readonly getPage: GetPage<Item>;
  open(
    to: HostClients,
    resumeRevision: number,
    settings: CallSettings,
  ): ClientReadableStream<Event>;
  itemOf(event: Event): Item | null;
  idOf(item: Item): string;
  /** Whether a watch shows it, where the Watch call itself has no such filter. */
  wants?(item: Item): boolean;
  /** Whether nothing of interest can come after this event. */
  isLast?(event: Event): boolean;
  /** The order of the table. */
  compare(a: Item, b: Item): number;
  /** What is new, in a few words; empty if nothing that people look at. `before` is unknown at first. */
  change(before: Item | undefined, item: Item): string;
  /** What the item is called in a line about a change. */
  nameOf(item: Item): string;
}

/** Prints the list once. */
export async function list<Item, Event extends WatchEvent>(
  session: Session,
  listing: Listing<Item, Event>,
): Promise<Result<ExitCode, Problem>> {
  const items = await allPages(session.pool, listing.getPage);
  if (!items.ok) return items;
  const sorted = items.value.toSorted(listing.compare);
  if (sorted.length === 0) session.note(...listing.empty);
  if (sorted.length > 0 || session.json) session.answer(sorted, table(session, listing, sorted));
  return ok(exitCodes.done);
}

function table<Item, Event extends WatchEvent>(
  { context, style }: Session,
  listing: Listing<Item, Event>,
  items: readonly Item[],
): readonly string[] {
  const rows = items.map((item) => listing.row(item, context.now(), style));
  return tableLines(listing.columns, rows, style);
}

/** Ages in the table go on while nothing changes: how often it is drawn again, in milliseconds. */
const redrawEvery = 1000;

/**
 * Shows the list and keeps it current, until Ctrl-C: drawn again in place on a terminal, a line for
 * each change elsewhere, one JSON object for each change with `--json`.
 */
export async function watchList<Item, Event extends WatchEvent>(
  session: Session,
  listing: Listing<Item, Event>,
  view: 'table' | 'lines',
): Promise<Result<ExitCode, Problem>> {
  const { context, pool, json } = session;
  const items = new Map<string, Item>();
  const inPlace = view === 'table' && !json && context.stdout.isTty;
  const region = inPlace ? liveRegion(context.stdout) : undefined;
  let synced = false;
  const draw = (): void => {
    if (!synced) return;
    const sorted = [...items.values()].sort(listing.compare);
    region?.draw(sorted.length === 0 ? listing.empty : table(session, listing, sorted));
  };
  const stop = stopOn(session);
  const redrawing = inPlace ? setInterval(draw, redrawEvery) : undefined;
  const restore = context.onTermination(() => region?.keep());

  const watched = await watch(pool, {
    open: (to, resumeRevision, settings) => listing.open(to, resumeRevision, settings),
    onEvent: (event) => {
      if (event.type === 'CHANGE_TYPE_SYNCED') synced = true;
      const item = listing.itemOf(event);
      if (item === null) {
        if (json && event.type === 'CHANGE_TYPE_SYNCED') session.event(event, []);
      } else {
        const id = listing.idOf(item);
        const wanted = listing.wants?.(item) ?? true;
        if (wanted || items.has(id))
          if (!inPlace) tell(session, listing, items.get(id), item, event);
        if (wanted && event.type !== 'CHANGE_TYPE_DELETED') items.set(id, item);
        else items.delete(id);
      }
      draw();
      return listing.isLast?.(event) ?? false;
    },
    onRestart: () => {
      items.clear();
      synced = false;
    },
    onFailOver: (from) => {
      if (!inPlace) session.note(`hint: ${from.host.name} no longer answers; asking another host`);
    },
    signal: stop.signal,
  });
  clearInterval(redrawing);
  region?.keep();
  restore();
  stop.release();
  // The terminal echoed ^C: what comes next begins on a line of its own.
  if (!inPlace && context.stderr.isTty && stop.cause() === 'interrupted') session.note('');
  return watched.ok ? ok(exitCodeOfStop(stop)) : watched;
}

function tell<Item, Event extends WatchEvent>(
  session: Session,
  listing: Listing<Item, Event>,
  before: Item | undefined,
  item: Item,
  event: Event,
): void {
  const deleted = event.type === 'CHANGE_TYPE_DELETED';
  const change = deleted ? 'deleted' : listing.change(before, item);
  if (change === '' && !session.json) return;
  const time = new Date(session.context.now()).toLocaleTimeString('sv-SE');
  session.event(event, [`${time}  ${listing.nameOf(item)}  ${change}`]);
}
