import { type Findings, found } from './findings.ts';
import { idleSteps, removed, watchSteps } from './measures.ts';

/** How much a latency may differ between two counts of what should not matter, to count as flat. */
const flat = 1.5;

/** What our xenstored is to reach beside the others, and whether this run has found it so. */
export function aimLines(findings: Findings): string[] {
  const line = (met: boolean, text: string) => `  ${met ? 'met   ' : 'MISSED'}  ${text}`;
  const of = (title: string, reading: string) => found(findings, title, reading);
  const lockStep = ['read', 'write'].map((operation) => {
    const { flotilla, xenstored } = of(`${operation}, 1 client`, 'p50 us');
    const figures = `${flotilla.toFixed(1)} against ${xenstored.toFixed(1)} us`;
    return line(
      flotilla <= xenstored,
      `${operation} by one lock-step client as fast as C: ${figures}`,
    );
  });
  const atLeast = (share: number, title: string, what: string) => {
    const { flotilla, xenstored } = of(title, 'per second');
    const ratio = flotilla / xenstored;
    const figures = `${ratio.toFixed(2)} (${flotilla.toFixed(0)} against ${xenstored.toFixed(0)})`;
    return line(ratio >= share, `${what} at least ${share} times C: ${figures}`);
  };
  const flatLine = (what: string, titles: readonly string[]) => {
    const latencies = titles.map((title) => of(title, 'p50 us').flotilla);
    const figures = latencies.map((latency) => latency.toFixed(1)).join(', ');
    const spread = Math.max(...latencies) / Math.min(...latencies);
    return line(spread <= flat, `a write as fast ${what}: ${figures} us`);
  };
  const removal = of(`tree of ${removed} nodes`, 'remove, ms');
  return [
    ...lockStep,
    ...['read', 'write'].map((operation) =>
      atLeast(5, `${operation}, 32 in flight`, `${operation}s, 32 in flight,`),
    ),
    atLeast(1.5, 'transactions, 1 client', 'transactions of 1 client'),
    atLeast(1.5, 'transactions, 8 clients on their own nodes', 'transactions of 8 clients'),
    flatLine(
      `beside ${watchSteps.join(', ')} watches elsewhere`,
      watchSteps.map((count) => `write, ${count} watches elsewhere`),
    ),
    flatLine(
      `beside ${idleSteps.join(', ')} idle connections`,
      idleSteps.map((count) => `write, ${count} idle connections`),
    ),
    line(
      removal.flotilla <= removal.oxenstored,
      `${removed} nodes removed as fast as by oxenstored: ${removal.flotilla.toFixed(2)} against ${removal.oxenstored.toFixed(2)} ms`,
    ),
    ...['read', 'write'].map((operation) =>
      atLeast(0.8, `${operation}, 50 clients`, `${operation}s of 50 lock-step clients`),
    ),
  ];
}
