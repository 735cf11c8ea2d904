// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { configError } from '../../src/config/problem.ts';
import { HIDDEN, renderDocument } from '../../src/config/render.ts';
import { documentOf, parse, parsed, problemsOf } from './parsing.ts';

const LISTENER = (auth: string): string =>
  `inputs:\n  forward:\n    - listen: tcp://a\n      auth: ${auth}\n`;

const files: Readonly<Record<string, string>> = {
  '/srv/key': 's3cret\n',
  '/run/crlf': 's3cret\r\n',
  '/run/lines': 'two\nlines\n\n',
  '/run/empty': '\n',
};

function readFile(path: string): string {
  const text = files[path];
  if (text === undefined) throw Object.assign(new Error('no'), { code: 'ENOENT' });
  return text;
}

describe('a secret in a file', () => {
  it.each([
    ['key', 's3cret'],
    ['/run/crlf', 's3cret'],
    ['/run/lines', 'two\nlines\n'],
  ])('%s is read without the newline at its end', (file, secret) => {
    const config = parsed(LISTENER(`{shared_key_file: ${file}}`), { readFile });
    expect(config.inputs.listeners[0]?.handshake?.shared_key).toBe(secret);
  });

  it('is read for passwords and tokens too', () => {
    const text = [
      'status: {token_file: key}',
      'outputs:',
      '  a:',
      '    type: forward',
      '    servers: [tcp://a]',
      '    auth: {shared_key_file: key, username: me, password_file: key}',
    ].join('\n');
    const config = parsed(text, { readFile });
    expect(config.status.token).toBe('s3cret');
    expect(config.outputs[0]).toMatchObject({
      handshake: { shared_key: 's3cret', username: 'me', password: 's3cret' },
    });
  });

  it('that is missing or empty is an error at the key that names it, along with all others', () => {
    const text = `${LISTENER('{shared_key_file: /run/none, users: [{name: a, password_file: /run/empty}]}')}journal: {segment_size: 1GiB, max_size: 1GiB}\n`;
    expect(problemsOf(text, { readFile })).toEqual([
      'logboom.yaml:4:31 inputs.forward[0].auth.shared_key_file: the file "/run/none" cannot be read | There is no such file.',
      'logboom.yaml:4:75 inputs.forward[0].auth.users[0].password_file: the file "/run/empty" is empty',
      'logboom.yaml:5:25 journal.segment_size: expected at most half of max_size (1GiB), found 1GiB | Space is given back a segment at a time, while another is written.',
    ]);
  });
});

describe('a secret is never shown', () => {
  it('by a configuration that is rendered', () => {
    const text = `${LISTENER('{shared_key: s3cret, users: [{name: a, password: s3cret}]}')}status: {token: s3cret}\n`;
    const rendered = renderDocument(documentOf(text), 'hidden');
    expect(rendered).not.toContain('s3cret');
    expect(rendered.split(HIDDEN)).toHaveLength(4);
  });

  it.each([
    ['of the wrong type', LISTENER('{shared_key: [s3cret]}')],
    ['that is a number', LISTENER('{shared_key: 53837}')],
    ['under a key that is misspelt', LISTENER('{sharedkey: s3cret}')],
    ['in a line with another mistake', 'status: {token: s3cret, listn: off}\n'],
    ['that is never closed', 'status:\n  token: "s3cret\n'],
    ['in a URL', 'outputs:\n  a:\n    type: forward\n    servers: ["tcp://me:s3cret@host"]\n'],
    [
      'in a URL under another key',
      'outputs:\n  a: {type: forward, servers: [x], kind: "tcp://me:s3cret@host"}\n',
    ],
    ['given beside its file', LISTENER('{shared_key: s3cret, shared_key_file: key}')],
    ['from the environment', 'status: {token: {a: "${S}"}}\n'],
  ])('by the message about one %s', (_name, text) => {
    const result = parse(text, { readFile, env: { S: 's3cret' } });
    if (result.ok) throw new Error('expected a problem');
    const message = inspect(configError(result.problems)) + configError(result.problems).describe();
    expect(message).not.toMatch(/s3cret|53837/);
  });
});
