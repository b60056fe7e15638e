import type { Innards } from './check.ts';

/** What a store keeps and who uses how much of it, in lines for people: CONTROL `memreport`. */
export function reportOf({ top, domains, connections, watches }: Innards): string {
  const lines = [
    `nodes: ${top.nodes - 1}`,
    `bytes of nodes: ${top.bytes}`,
    `watches: ${watches.size}`,
    `connections: ${[...connections].length}`,
  ];
  for (const { id, used } of [...domains].sort((one, other) => one.id - other.id))
    lines.push(
      `domain ${id}: ${used.memory} bytes, ${used.nodes} nodes, ${used.watches} watches, ` +
        `${used.transactions} transactions, ${used.outstanding} outstanding`,
    );
  // What is longer than a reply says so; the domains with the lowest ids come first.
  const most = 4000;
  const text = `${lines.join('\n')}\n`;
  return text.length <= most ? text : `${text.slice(0, text.lastIndexOf('\n', most))}\n...\n`;
}
