import type { Answer, Question } from '../../core/input.ts';
import type { RingClients } from './ring-clients.ts';
import type { Shared } from './shared.ts';

/** Answers what the store cannot know: whether a ring is mapped, and what comes of commands. */
export class Questions {
  readonly #shared: Shared;
  readonly #rings: RingClients;

  constructor(shared: Shared, rings: RingClients) {
    this.#shared = shared;
    this.#rings = rings;
  }

  /** Answers a question, at once or when the command is done. */
  ask(ticket: number, question: Question): void {
    const { options, turns } = this.#shared;
    if (question.kind === 'map') {
      const mapped = this.#rings.map(question, ticket);
      turns.take({
        kind: 'answer',
        ticket,
        answer: mapped.ok
          ? { kind: 'mapped', connection: mapped.value }
          : { kind: 'refused', error: mapped.error },
      });
      return;
    }
    const { control } = options;
    if (control === undefined) {
      this.#answer(ticket, { kind: 'refused', error: 'ENOSYS' });
      return;
    }
    void control(question.command, question.parameters).then((reply) =>
      turns.whenFree(() =>
        this.#answer(
          ticket,
          reply.ok ? { kind: 'text', text: reply.value } : { kind: 'refused', error: reply.error },
        ),
      ),
    );
  }

  /** Answers what the process before this one was asked, and did not answer. */
  answerLeft(): void {
    for (const { ticket, question } of this.#shared.store.dump().waiting)
      if (question.kind === 'map') this.ask(ticket, question);
      else
        this.#answer(
          ticket,
          question.command === 'live-update'
            ? { kind: 'text', text: 'OK' }
            : { kind: 'refused', error: 'EAGAIN' },
        );
  }

  #answer(ticket: number, answer: Exclude<Answer, { readonly kind: 'mapped' }>): void {
    const { journal, turns } = this.#shared;
    journal.write({ kind: 'answer', ticket, answer });
    turns.take({ kind: 'answer', ticket, answer });
  }
}
