import { describe, expect, it } from 'vitest';
import { parsed, problemsOf } from './parsing.ts';

type Case = readonly [name: string, text: string, problems: readonly string[]];

const listeners = (...each: string[]): string =>
  `inputs:\n  forward:\n${each.map((one) => `    - ${one}\n`).join('')}`;
const output = (...lines: string[]): string =>
  `outputs:\n  a:\n    type: forward\n    servers: [tcp://x]\n${lines.map((line) => `    ${line}\n`).join('')}`;

const LISTENERS: readonly Case[] = [
  [
    'a tls:// listener without a certificate',
    listeners('listen: tls://0.0.0.0:1'),
    [
      'logboom.yaml:3:15 inputs.forward[0].listen: a tls:// listener needs a certificate | Add `tls: {cert: FILE, key: FILE}` to this listener.',
    ],
  ],
  [
    'a certificate on a tcp:// listener',
    listeners('{listen: "tcp://0.0.0.0:1", tls: {cert: c, key: k}}'),
    [
      'logboom.yaml:3:40 inputs.forward[0].tls: expected no tls section on a tcp:// listener | Did you mean tls://0.0.0.0:1?',
    ],
  ],
  [
    'client certificates without their authorities',
    listeners('{listen: "tls://a:1", tls: {cert: c, key: k, client_auth: require}}'),
    [
      'logboom.yaml:3:65 inputs.forward[0].tls.client_auth: require needs client_ca | Add client_ca: the authorities that sign the certificates of clients.',
    ],
  ],
  [
    'two listeners on one address',
    listeners('listen: tcp://127.0.0.1:1', 'listen: tcp://127.0.0.1:1'),
    [
      'logboom.yaml:4:15 inputs.forward[1].listen: tcp://127.0.0.1:1 is taken already, by tcp://127.0.0.1:1',
    ],
  ],
  [
    'a listener on an address that another covers',
    listeners('listen: tcp://0.0.0.0:1', 'listen: tcp://127.0.0.1:1'),
    [
      'logboom.yaml:4:15 inputs.forward[1].listen: tcp://127.0.0.1:1 is taken already, by tcp://0.0.0.0:1',
    ],
  ],
  [
    'two listeners on one socket',
    listeners('listen: unix:///run/x', 'listen: unix:///run/x?mode=0600'),
    [
      'logboom.yaml:4:15 inputs.forward[1].listen: unix:///run/x?mode=0600 is taken already, by unix:///run/x',
    ],
  ],
  [
    'a status page on the address of a listener',
    'status: {listen: "http://127.0.0.1:24224"}\n',
    [
      'logboom.yaml:1:18 status.listen: http://127.0.0.1:24224 is taken already, by tcp://127.0.0.1:24224',
    ],
  ],
  [
    'a handshake without a key',
    listeners('{listen: "tcp://a:1", auth: {}}'),
    [
      'logboom.yaml:3:35 inputs.forward[0].auth: expected shared_key or shared_key_file, found neither',
    ],
  ],
  [
    'a user without a password, and one who is there twice',
    listeners(
      '{listen: "tcp://a:1", auth: {shared_key: k, users: [{name: u}, {name: u, password: p}]}}',
    ),
    [
      'logboom.yaml:3:59 inputs.forward[0].auth.users[0]: expected password or password_file, found neither',
      'logboom.yaml:3:77 inputs.forward[0].auth.users[1].name: there is a user u already',
    ],
  ],
  [
    'nothing to read from',
    'inputs: {forward: []}\n',
    [
      'logboom.yaml:1:19 inputs.forward: expected at least one listener, found none | Add a listener, or give docker.root.',
    ],
  ],
  [
    'an event that may be larger than its message',
    'inputs: {limits: {event_size: 2MiB, message_size: 1MiB}}\n',
    [
      'logboom.yaml:1:31 inputs.limits.event_size: expected at most message_size (1MiB), found 2MiB | One event comes in one message.',
    ],
  ],
];

const OUTPUTS: readonly Case[] = [
  [
    'no outputs on purpose',
    'outputs: {}\n',
    [
      'logboom.yaml:1:10 outputs: expected at least one output, found none | Leave the key out to have events written to a file.',
    ],
  ],
  [
    'a chunk that is larger than the window',
    output('chunk_size: 5MiB'),
    ['logboom.yaml:5:17 outputs.a.chunk_size: expected at most window_size (4MiB), found 5MiB'],
  ],
  [
    'a chunk that Fluent Bit would refuse',
    output('kind: fluent-bit', 'chunk_size: 8MiB', 'window_size: 8MiB'),
    [
      'logboom.yaml:6:17 outputs.a.chunk_size: expected at most 6144000 bytes for Fluent Bit, found 8MiB | Did you mean 6144KB?',
    ],
  ],
  [
    'a back-off that shrinks',
    output('retry: {min: 1m, max: 1s}'),
    ['logboom.yaml:5:18 outputs.a.retry.min: expected at most retry.max (1s), found 1m'],
  ],
  [
    'the same server twice',
    'outputs: {a: {type: forward, servers: ["tcp://x", "tcp://x"]}}\n',
    ['logboom.yaml:1:51 outputs.a.servers[1]: tcp://x is in this list already'],
  ],
  [
    'servers that all stand by',
    'outputs: {a: {type: forward, servers: [{url: "tcp://x", standby: true}]}}\n',
    [
      'logboom.yaml:1:39 outputs.a.servers: every server is standby | Take standby out of at least one: it means "while no other can be reached".',
    ],
  ],
  [
    'a tls section without a tls:// server',
    output('tls: {ca: ca.pem}'),
    [
      'logboom.yaml:5:10 outputs.a.tls: expected a tls:// server for this section, found none | Did you mean tls://x?',
    ],
  ],
  [
    'a certificate without its key',
    'outputs: {a: {type: forward, servers: ["tls://x"], tls: {cert: c}}}\n',
    ['logboom.yaml:1:64 outputs.a.tls.cert: cert needs key'],
  ],
  [
    'a password without a user',
    output('auth: {shared_key: k, password: p}'),
    ['logboom.yaml:5:11 outputs.a.auth: expected both username and a password, or neither'],
  ],
  [
    'a secret given twice',
    output('auth: {shared_key: k, shared_key_file: f}'),
    [
      'logboom.yaml:5:44 outputs.a.auth.shared_key_file: shared_key and shared_key_file are both given | Keep one of them.',
    ],
  ],
  [
    'a lag that the journal never allows',
    output('max_lag: 8GiB'),
    [
      'logboom.yaml:5:14 outputs.a.max_lag: expected less than journal.max_size (8GiB), found 8GiB | The journal would be full before this takes effect.',
    ],
  ],
  [
    'a segment that takes more than half of the journal',
    'journal: {max_size: 64MiB}\n',
    [
      'logboom.yaml:1:1 journal.segment_size: expected at most half of max_size (64MiB), found 64MiB | Space is given back a segment at a time, while another is written.',
    ],
  ],
];

const FOLDERS: readonly Case[] = [
  [
    'a dead letter inside the journal',
    output('dead_letter: {dir: ./logboom-data/dead}'),
    [
      'logboom.yaml:5:24 outputs.a.dead_letter.dir: expected a place outside of journal.dir (./logboom-data), found ./logboom-data/dead | Choose a place outside: that folder belongs to the journal alone.',
    ],
  ],
  [
    'a file inside the journal, given absolutely',
    'outputs: {a: {type: file, path: /srv/logboom-data/x}}\n',
    [
      'logboom.yaml:1:33 outputs.a.path: expected a place outside of journal.dir (./logboom-data), found /srv/logboom-data/x | Choose a place outside: that folder belongs to the journal alone.',
    ],
  ],
  [
    'two outputs that write the same file',
    'outputs: {a: {type: file, path: x}, b: {type: file, path: ./y/../x}}\n',
    ['logboom.yaml:1:59 outputs.b.path: outputs.a writes to ./y/../x already'],
  ],
];

describe.each([
  ['listeners', LISTENERS],
  ['outputs', OUTPUTS],
  ['folders', FOLDERS],
])('%s', (_name, cases) => {
  it.each(cases)('%s is an error', (_what, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});

describe('what looks like a collision and is none', () => {
  it.each([
    ['port 0 twice', listeners('listen: tcp://a:0', 'listen: tcp://a:0')],
    [
      'one port on two addresses',
      listeners('listen: tcp://127.0.0.1:1', 'listen: tcp://127.0.0.2:1'),
    ],
    [
      'no listener beside a Docker root',
      'inputs: {forward: []}\ndocker: {root: /var/lib/docker}\n',
    ],
    [
      'a folder that only begins like the journal',
      'outputs: {a: {type: file, path: ./logboom-data-2/x}}\n',
    ],
    ['TLS on a socket of systemd', listeners('{listen: "systemd://x", tls: {cert: c, key: k}}')],
  ])('%s is accepted', (_name, text) => {
    expect(() => parsed(text)).not.toThrow();
  });
});
