import { type Milliseconds, milliseconds } from '../../base/units.ts';
import type { Operation, OperationStep } from '../../proto/gen/flotilla.pool.v1.ts';
import { stopwatch } from '../output/humane.ts';
import type { Style, Tone } from '../output/style.ts';

/** When a step was first seen at work, and when it was first seen to have ended. */
interface StepTimes {
  readonly began?: Milliseconds;
  readonly ended?: Milliseconds;
}

/** What has been seen of an operation. It is only ever made anew, by `observe`. */
export interface Progress {
  readonly operation: Operation;
  readonly began: Milliseconds;
  readonly ended?: Milliseconds;
  readonly steps: readonly StepTimes[];
}

/** Whether an operation is over, well or not. */
export function hasEnded(operation: Operation): boolean {
  switch (operation.state) {
    case 'OPERATION_STATE_SUCCEEDED':
    case 'OPERATION_STATE_FAILED':
    case 'OPERATION_STATE_CANCELLED':
      return true;
    case 'OPERATION_STATE_UNSPECIFIED':
    case 'OPERATION_STATE_PENDING':
    case 'OPERATION_STATE_RUNNING':
    case 'OPERATION_STATE_UNDOING':
      return false;
  }
}

/** Adds what `operation` is at `now` to what was seen before. The clock is the CLI's own. */
export function observe(
  before: Progress | undefined,
  operation: Operation,
  now: Milliseconds,
): Progress {
  const steps = operation.steps.map((step, index) => stepTimes(before?.steps[index], step, now));
  const ended = before?.ended ?? (hasEnded(operation) ? now : undefined);
  return {
    operation,
    began: before?.began ?? now,
    steps,
    ...(ended === undefined ? {} : { ended }),
  };
}

function stepTimes(before: StepTimes = {}, step: OperationStep, now: Milliseconds): StepTimes {
  switch (step.state) {
    case 'STEP_STATE_UNSPECIFIED':
    case 'STEP_STATE_PENDING':
      return {};
    case 'STEP_STATE_RUNNING':
      return { began: before.began ?? now };
    case 'STEP_STATE_DONE':
    case 'STEP_STATE_FAILED':
    case 'STEP_STATE_UNDONE':
      return { ...before, ended: before.ended ?? now };
  }
}

/** `vm.start web`. */
export function titleOf(operation: Operation): string {
  return `${operation.verb} ${operation.resourceName || operation.resourceId}`;
}

/** The lines of a terminal: the operation, then its steps with marks and how long each took. */
export function progressLines(
  progress: Progress,
  now: Milliseconds,
  style: Style,
): readonly string[] {
  const { operation, began, ended } = progress;
  const width = Math.max(
    titleOf(operation).length,
    ...operation.steps.map((step) => step.description.length + 4),
  );
  const total = stopwatch(milliseconds((ended ?? now) - began));
  const title = style.paint('strong', titleOf(operation).padEnd(width));
  const steps = operation.steps.map((step, index) => {
    const times = progress.steps[index] ?? {};
    const spent =
      times.began === undefined ? '' : stopwatch(milliseconds((times.ended ?? now) - times.began));
    const text = step.description.padEnd(width - 4);
    return `  ${stepMark(step, now, style)} ${faded(step, text, style)}  ${style.paint('faint', spent)}`;
  });
  return [`${title}  ${total}${word(operation, style)}`, ...steps].map((line) => line.trimEnd());
}

function word(operation: Operation, style: Style): string {
  switch (operation.state) {
    case 'OPERATION_STATE_PENDING':
      return style.paint('faint', '  waits for its service');
    case 'OPERATION_STATE_UNDOING':
      return style.paint('busy', '  undoing what was done');
    case 'OPERATION_STATE_FAILED':
      return style.paint('bad', '  failed');
    case 'OPERATION_STATE_CANCELLED':
      return style.paint('busy', '  cancelled');
    case 'OPERATION_STATE_UNSPECIFIED':
    case 'OPERATION_STATE_RUNNING':
      return operation.cancelRequested ? style.paint('busy', '  cancel requested') : '';
    case 'OPERATION_STATE_SUCCEEDED':
      return '';
  }
}

const spinners = { unicode: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'], ascii: [...'|/-\\'] } as const;
const frame = milliseconds(100);

function stepMark(step: OperationStep, now: Milliseconds, style: Style): string {
  const mark = (tone: Tone, unicode: string, ascii: string): string =>
    style.paint(tone, style.unicode ? unicode : ascii);
  switch (step.state) {
    case 'STEP_STATE_UNSPECIFIED':
    case 'STEP_STATE_PENDING':
      return mark('faint', '·', '.');
    case 'STEP_STATE_RUNNING': {
      const frames = style.unicode ? spinners.unicode : spinners.ascii;
      return style.paint('busy', frames[Math.floor(now / frame) % frames.length] ?? '');
    }
    case 'STEP_STATE_DONE':
      return mark('good', '✓', '+');
    case 'STEP_STATE_FAILED':
      return mark('bad', '✗', 'x');
    case 'STEP_STATE_UNDONE':
      return mark('busy', '↺', '<');
  }
}

function faded(step: OperationStep, text: string, style: Style): string {
  return step.state === 'STEP_STATE_PENDING' ? style.paint('faint', text) : text;
}

/** The steps alone, with marks. */
export function stepLines(
  operation: Operation,
  now: Milliseconds,
  style: Style,
): readonly string[] {
  return operation.steps.map(
    (step) => `  ${stepMark(step, now, style)} ${faded(step, step.description, style)}`,
  );
}

/** What changed between two looks, as lines for what is not a terminal; none if nothing did. */
export function changeLines(before: Progress | undefined, after: Progress): readonly string[] {
  const { operation, began, ended } = after;
  const title = titleOf(operation);
  const lines: string[] = before === undefined ? [`${title}: operation ${operation.id}`] : [];
  operation.steps.forEach((step, index) => {
    if (step.state === (before?.operation.steps[index]?.state ?? 'STEP_STATE_PENDING')) return;
    lines.push(`${title}: ${stepWord(step)}: ${step.description}`);
  });
  if (operation.state === 'OPERATION_STATE_UNDOING' && before?.operation.state !== operation.state)
    lines.push(`${title}: undoing what was done`);
  if (ended !== undefined && before?.ended === undefined)
    lines.push(`${title}: ${endWord(operation)} after ${stopwatch(milliseconds(ended - began))}`);
  return lines;
}

function stepWord(step: OperationStep): string {
  switch (step.state) {
    case 'STEP_STATE_UNSPECIFIED':
    case 'STEP_STATE_PENDING':
      return 'to do';
    case 'STEP_STATE_RUNNING':
      return 'begun';
    case 'STEP_STATE_DONE':
      return 'done';
    case 'STEP_STATE_FAILED':
      return 'failed';
    case 'STEP_STATE_UNDONE':
      return 'undone';
  }
}

function endWord(operation: Operation): string {
  if (operation.state === 'OPERATION_STATE_SUCCEEDED') return 'done';
  return operation.state === 'OPERATION_STATE_CANCELLED' ? 'cancelled' : 'failed';
}
