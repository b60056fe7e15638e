/** One operation of a client. */
export interface Operation<Input, Output> {
  /** Who called, for the explanation. */
  readonly process: string | number;
  /** When it was called, on a clock that all processes share. */
  readonly invoked: number;
  /** When it was answered; null: it may have taken effect at any time since, or never will. */
  readonly returned: number | null;
  readonly input: Input;
  /** Null where `returned` is null. */
  readonly output: Output | null;
}

/** What the object should do: a specification for one operation at a time. */
export interface Model<State, Input, Output> {
  readonly initial: State;
  /**
   * The states in which the object may be after this operation, none if it cannot have answered
   * so. With `output` null the answer is not known. Pure.
   */
  step(state: State, input: Input, output: Output | null): readonly State[];
  /** A name of the state: equal names only for states that do the same from now on. */
  nameOf(state: State): string;
  /**
   * Where answers tell the order themselves: what shows a lower number certainly comes before what
   * shows a higher one. Null where an answer shows nothing. It spares the search its attempts.
   */
  orderOf(output: Output): number | null;
  /** Whether the operation never changes the state: an explanation may leave it out. */
  onlyReads(input: Input): boolean;
  /** Splits a history into some that do not concern one another, such as those of each key. */
  partition(
    history: readonly Operation<Input, Output>[],
  ): readonly (readonly Operation<Input, Output>[])[];
  /** The operation in a few words; `output` is null where it is not known. */
  describe(input: Input, output: Output | null): string;
}
