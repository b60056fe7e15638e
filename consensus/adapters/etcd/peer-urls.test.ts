import test from 'ava';
import { parsePeerUrls } from './peer-urls.ts';

test('of URLs, host and port are kept', (t) => {
  t.deepEqual(parsePeerUrls(['http://127.0.0.1:2380', 'http://[::1]:2380/'], 'http'), [
    '127.0.0.1:2380',
    '[::1]:2380',
  ]);
  t.deepEqual(parsePeerUrls(['https://host-1.example:1'], 'https'), ['host-1.example:1']);
});

test('what is no URL of a member, or of the other scheme, is refused', (t) => {
  const wrong = [
    '',
    'h:1',
    'http://',
    'http://localhost',
    'http://localhost:0',
    'http://localhost:65536',
    'http://localhost:1/path',
    'http://u@localhost:1',
    'http://10.0.0.1:2380',
    'https://localhost:1',
    'unix://localhost:1',
    `http://${'h'.repeat(300)}:1`,
  ];
  for (const url of wrong) t.is(parsePeerUrls([url], 'http'), null, url);
  t.is(parsePeerUrls([], 'http'), null);
  t.is(parsePeerUrls(['http://localhost:1', 'http://localhost:1'], 'http'), null);
  const many = Array.from({ length: 17 }, (_, port) => `http://localhost:${port + 1}`);
  t.is(parsePeerUrls(many, 'http'), null);
});
