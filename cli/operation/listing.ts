import { type Milliseconds, milliseconds } from '../../base/units.ts';
import { failureOfStatus } from '../../pool/rpc/status.ts';
import type {
  ListOperationsRequest,
  Operation,
  OperationEvent,
  OperationState,
} from '../../proto/gen/flotilla.pool.v1.ts';
import { pageOf } from '../connection/pages.ts';
import type { Listing } from '../listing.ts';
import { age, localTime, momentOf, nothing, shortId, stopwatch } from '../output/humane.ts';
import type { Style } from '../output/style.ts';
import { propertyLines } from '../output/table.ts';
import { hasEnded, stepLines, titleOf } from '../progress/progress.ts';

/** How operations are listed and watched. */
export function operationListing(
  filter: Pick<ListOperationsRequest, 'active' | 'resource'>,
): Listing<Operation, OperationEvent> {
  return {
    columns: [
      { heading: 'ID' },
      { heading: 'OPERATION' },
      { heading: 'RESOURCE' },
      { heading: 'STATE' },
      { heading: 'STEPS', align: 'right' },
      { heading: 'TOOK', align: 'right' },
      { heading: 'AGE', align: 'right' },
    ],
    row: (operation, now, style) => [
      shortId(operation.id),
      operation.verb,
      style.paint('strong', operation.resourceName || operation.resourceId),
      paintedState(operation.state, style),
      `${stepsDone(operation)}/${operation.steps.length}`,
      took(operation),
      age(operation.createTime, now),
    ],
    empty: [filter.active ? 'no operation is under way' : 'no operation is kept'],
    getPage: async (to, page, settings) =>
      pageOf(
        await to.pool.listOperations({ ...page, ...filter }, settings),
        ({ operations }) => operations,
      ),
    open: (to, resumeRevision, settings) => to.pool.watchOperations({ resumeRevision }, settings),
    itemOf: (event) => event.operation,
    wants: (operation) =>
      (!filter.active || !hasEnded(operation)) &&
      (filter.resource === '' ||
        [operation.resourceName, operation.resourceId].includes(filter.resource)),
    idOf: (operation) => operation.id,
    compare: (a, b) => (momentOf(b.createTime) ?? 0) - (momentOf(a.createTime) ?? 0),
    change: operationChange,
    nameOf: (operation) => `${shortId(operation.id)}  ${titleOf(operation)}`,
  };
}

function operationChange(before: Operation | undefined, operation: Operation): string {
  // What had ended before the watch began is no news.
  if (before === undefined) return hasEnded(operation) ? '' : stateWord(operation.state);
  const lines = before.state === operation.state ? [] : [stateWord(operation.state)];
  operation.steps.forEach((step, index) => {
    const was = before.steps[index]?.state;
    if (was === step.state || step.state === 'STEP_STATE_PENDING') return;
    lines.push(`${step.description}: ${step.state.replace('STEP_STATE_', '').toLowerCase()}`);
  });
  return lines.join(', ');
}

function stepsDone(operation: Operation): number {
  return operation.steps.filter((step) => step.state === 'STEP_STATE_DONE').length;
}

function took(operation: Operation): string {
  const began = momentOf(operation.createTime);
  const ended = momentOf(operation.endTime);
  if (began === undefined || ended === undefined) return nothing;
  return stopwatch(milliseconds(ended - began));
}

/** An operation's state as people call it. */
export function stateWord(state: OperationState): string {
  switch (state) {
    case 'OPERATION_STATE_UNSPECIFIED':
      return 'Unknown';
    case 'OPERATION_STATE_PENDING':
      return 'Pending';
    case 'OPERATION_STATE_RUNNING':
      return 'Running';
    case 'OPERATION_STATE_UNDOING':
      return 'Undoing';
    case 'OPERATION_STATE_SUCCEEDED':
      return 'Succeeded';
    case 'OPERATION_STATE_FAILED':
      return 'Failed';
    case 'OPERATION_STATE_CANCELLED':
      return 'Cancelled';
  }
}

function paintedState(state: OperationState, style: Style): string {
  const word = stateWord(state);
  switch (state) {
    case 'OPERATION_STATE_SUCCEEDED':
      return style.paint('good', word);
    case 'OPERATION_STATE_FAILED':
      return style.paint('bad', word);
    case 'OPERATION_STATE_UNSPECIFIED':
    case 'OPERATION_STATE_PENDING':
      return word;
    case 'OPERATION_STATE_RUNNING':
    case 'OPERATION_STATE_UNDOING':
    case 'OPERATION_STATE_CANCELLED':
      return style.paint('busy', word);
  }
}

/** Everything about an operation, for people. */
export function operationLines(
  operation: Operation,
  now: Milliseconds,
  style: Style,
): readonly string[] {
  const failure = operation.error === null ? undefined : failureOfStatus(operation.error);
  const cancelling = operation.cancelRequested && !hasEnded(operation) ? ', cancel requested' : '';
  return [
    ...propertyLines(
      [
        ['operation', style.paint('strong', titleOf(operation))],
        ['id', operation.id],
        ['state', `${paintedState(operation.state, style)}${cancelling}`],
        ...(failure === undefined ? [] : [['why', failure.message] as const]),
        ...(failure === undefined || failure.remedy === ''
          ? []
          : [['what to do', failure.remedy] as const]),
        ...(operation.host === '' ? [] : [['host', operation.host] as const]),
        ['began', `${localTime(operation.createTime)} (${age(operation.createTime, now)} ago)`],
        ['took', took(operation)],
      ],
      style,
    ),
    ...stepLines(operation, now, style),
  ];
}
