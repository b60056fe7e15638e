import { present } from '../../base/assert.ts';
import type { Model, Operation } from './model.ts';
import { Timeline } from './timeline.ts';
import { Visited } from './visited.ts';

/** What a search for an order has come to. Operations are named by their position. */
export type Found =
  | { readonly kind: 'order'; readonly order: readonly number[] }
  /** No order explains all; this is one that got furthest. */
  | { readonly kind: 'none'; readonly longest: readonly number[] }
  | { readonly kind: 'undecided' };

/** An operation that may come next, and what the state would be. */
interface Choice<State> {
  readonly operation: number;
  readonly state: State;
}

/** A place in the search: what was chosen last, and what is left to try from there. */
interface Frame<State> {
  readonly operation: number | null;
  readonly state: State;
  readonly name: string;
  choices: readonly Choice<State>[];
  next: number;
  /** Nothing else may be tried here, once the choices are. */
  isLast: boolean;
}

/**
 * Looks for an order, depth first (Wing and Gong, *Testing and Verifying Concurrent Objects*,
 * 1993): any operation may come next that began before the first of those that are left had
 * ended. No state is entered twice with the same operations behind it (Lowe, *Testing for
 * Linearizability*, 2017). Operations of unknown outcome are tried last, and need no place.
 */
export function search<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  searchMax: number,
): Found {
  const timeline = new Timeline(
    history,
    history.map(({ output }) => (output === null ? null : model.orderOf(output))),
  );
  const visited = new Visited(history.length);
  const frames: Frame<State>[] = [frameOf(model, null, model.initial)];
  let longest: readonly number[] = [];
  for (let steps = 0; timeline.left > 0; steps += 1) {
    if (steps >= searchMax) return { kind: 'undecided' };
    const frame = present(frames.at(-1), 'the first frame ends the search');
    const choice = nextChoice(model, history, timeline, frame);
    if (choice !== null) {
      const { operation, state } = choice;
      const next = frameOf(model, operation, state);
      if (!visited.enter(operation, next.name)) continue;
      timeline.take(operation);
      frames.push(next);
      continue;
    }
    if (frames.length > longest.length) longest = orderOf(frames);
    frames.pop();
    if (frame.operation === null) return { kind: 'none', longest };
    timeline.putBack(frame.operation);
    visited.leave(frame.operation);
  }
  return { kind: 'order', order: orderOf(frames) };
}

function frameOf<State, Input, Output>(
  model: Model<State, Input, Output>,
  operation: number | null,
  state: State,
): Frame<State> {
  const name = model.nameOf(state);
  return { operation, state, name, choices: [], next: -1, isLast: false };
}

function orderOf<State>(frames: readonly Frame<State>[]): readonly number[] {
  return frames.flatMap(({ operation }) => (operation === null ? [] : [operation]));
}

function nextChoice<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
  timeline: Timeline,
  frame: Frame<State>,
): Choice<State> | null {
  const choicesOf = (operations: readonly number[]): readonly Choice<State>[] =>
    operations.flatMap((operation) => {
      const { input, output } = present(history[operation], 'a position in the history');
      return model.step(frame.state, input, output).map((state) => ({ operation, state }));
    });
  if (frame.next === -1) {
    const choices = choicesOf(timeline.answered());
    // A read that is explained now may as well come now: that spares all other attempts.
    const idle = choices.find(
      ({ operation, state }) =>
        isRead(model, history[operation]) && model.nameOf(state) === frame.name,
    );
    frame.choices = idle === undefined ? choices : [idle];
    frame.isLast = idle !== undefined;
    frame.next = 0;
  }
  if (frame.next === frame.choices.length && !frame.isLast) {
    // One that would change nothing here need not have happened here.
    frame.choices = choicesOf(timeline.unanswered()).filter(
      ({ state }) => model.nameOf(state) !== frame.name,
    );
    frame.next = 0;
    frame.isLast = true;
  }
  const choice = frame.choices[frame.next] ?? null;
  frame.next += 1;
  return choice;
}

function isRead<State, Input, Output>(
  model: Model<State, Input, Output>,
  operation: Operation<Input, Output> | undefined,
): boolean {
  return operation !== undefined && model.onlyReads(operation.input);
}
