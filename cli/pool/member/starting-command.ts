import type { Member } from '../../../proto/gen/etcdserverpb.ts';
import { addressOf } from '../survey.ts';

/** What is known of a member that is to be started. */
export interface NewMemberStart {
  readonly engine: 'consensus' | 'etcd';
  readonly name: string;
  /** HOST:PORT. */
  readonly peer: string;
  /** HOST:PORT; undefined: whoever starts it chooses. */
  readonly client: string | undefined;
  readonly isTls: boolean;
  /** The members that it finds the others by. */
  readonly others: readonly Pick<Member, 'name' | 'ID' | 'peerURLs'>[];
}

/** The lines of the command that starts a new member, for a shell. */
export function startingCommand(start: NewMemberStart): readonly string[] {
  const words = start.engine === 'etcd' ? etcdWords(start) : builtInWords(start);
  return words.map((line, index) => {
    const indented = index === 0 ? `  ${line}` : `    ${line}`;
    return index === words.length - 1 ? indented : `${indented} \\`;
  });
}

function builtInWords(start: NewMemberStart): readonly string[] {
  const { name, peer, client = 'HOST:PORT', isTls } = start;
  return [
    `flotilla consensus --name ${name} --data-dir ${name}`,
    `--listen-peer ${peer} --listen-client ${client}`,
    `--initial-cluster ${cluster(start, addressOf)} --initial-cluster-state existing`,
    isTls ? '--tls-ca ca.pem --tls-cert certificate.pem --tls-key key.pem' : '--insecure',
  ];
}

function etcdWords(start: NewMemberStart): readonly string[] {
  const { name, peer, client = 'HOST:PORT', isTls } = start;
  const scheme = isTls ? 'https' : 'http';
  const own = `${scheme}://${peer}`;
  const clients = `${scheme}://${client}`;
  return [
    `etcd --name ${name} --data-dir ${name}`,
    `--listen-peer-urls ${own} --initial-advertise-peer-urls ${own}`,
    `--listen-client-urls ${clients} --advertise-client-urls ${clients}`,
    `--initial-cluster ${cluster(start, (url) => url)} --initial-cluster-state existing`,
    ...(isTls
      ? [
          '--trusted-ca-file ca.pem --cert-file certificate.pem --key-file key.pem',
          '--peer-trusted-ca-file ca.pem --peer-cert-file certificate.pem --peer-key-file key.pem',
        ]
      : []),
  ];
}

/** `NAME=ADDRESS,...` of all; one that has not started has no name yet, and is found without. */
function cluster(
  { name, peer, isTls, others }: NewMemberStart,
  write: (url: string) => string,
): string {
  const own = `${isTls ? 'https' : 'http'}://${peer}`;
  return [
    ...others
      .filter((other) => other.name !== '')
      .map((other) => `${other.name}=${write(other.peerURLs[0] ?? '')}`),
    `${name}=${write(own)}`,
  ].join(',');
}
