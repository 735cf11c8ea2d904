// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import { describe, expect, it } from 'vitest';
import { substitute } from '../../src/config/env.ts';
import { documentOf, parsed, problemsOf } from './parsing.ts';

const ENV = { DIR: '/data', EMPTY: '', COUNT: '100', KEY: '0123', ODD: '${DIR}' };

describe('an environment variable', () => {
  it.each([
    ['${DIR}', '/data'],
    ['a${DIR}b${DIR}', 'a/datab/data'],
    ['${EMPTY}', ''],
    ['${NONE:-here}', 'here'],
    ['${EMPTY:-here}', 'here'],
    ['${DIR:-here}', '/data'],
    ['${NONE:-}', ''],
    ['$${DIR}', '${DIR}'],
    ['$DIR and $$', '$DIR and $$'],
  ])('in %j gives %j', (text, result) => {
    expect(substitute(text, ENV)).toEqual({ text: result, unset: [], malformed: [] });
  });

  it('that holds a reference is not looked at again', () => {
    expect(substitute('${ODD}', ENV).text).toBe('${DIR}');
  });

  it.each(['${}', '${1X}', '${A B}', '${DIR'])('written as %s is malformed', (text) => {
    expect(substitute(text, ENV).malformed).toEqual([text]);
  });

  it('is replaced in plain and quoted text', () => {
    const text = 'journal:\n  dir: ${DIR}/a\nlog:\n  level: "${LEVEL:-warn}"\n';
    expect(parsed(text, { env: ENV })).toMatchObject({
      journal: { dir: '/data/a' },
      log: { level: 'warn' },
    });
  });

  it('may stand for a number, a size or a switch', () => {
    const env = { ...ENV, SIZE: '1GiB', SWITCH: 'off' };
    const text =
      'inputs:\n  limits: {connections: "${COUNT}", message_size: "${SIZE}"}\n' +
      'outputs: {a: {type: stdout, transient: "${SWITCH}"}}\n';
    const document = documentOf(text, { env });
    expect(document.inputs.limits).toMatchObject({ connections: 100, message_size: 1024 ** 3 });
    expect(document.outputs?.['a']).toMatchObject({ transient: false });
  });

  it('of digits is still text where text belongs', () => {
    const text = 'inputs:\n  forward: [{listen: tcp://a, auth: {shared_key: "${KEY}"}}]\n';
    const [listener] = parsed(text, { env: ENV }).inputs.listeners;
    expect(listener?.handshake?.shared_key).toBe('0123');
  });

  it('that is not set is an error at its own place, and the only one there', () => {
    expect(problemsOf('journal:\n  max_size: 1${UNIT}\n')).toEqual([
      'logboom.yaml:2:14 journal.max_size: the environment variable UNIT is not set | Set it, or write ${UNIT:-TEXT} to fall back to TEXT.',
    ]);
  });

  it('that is malformed is an error at its own place', () => {
    expect(problemsOf('journal:\n  dir: "a/${DIR"\n', { env: ENV })).toEqual([
      'logboom.yaml:2:11 journal.dir: expected an environment variable such as ${NAME} or ${NAME:-TEXT} | Write $${ for a plain ${.',
    ]);
  });

  it('is not replaced in keys', () => {
    expect(problemsOf('${DIR}: 1\n', { env: ENV })[0]).toMatch('there is no key "${DIR}" here');
  });
});
