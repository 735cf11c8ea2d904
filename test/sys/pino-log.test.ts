import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemCode } from '../../src/errors.ts';
import { type LogOptions, openLog } from '../../src/sys/pino-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let fd: number;

beforeEach(async () => {
  dir = await tempDir('log');
  fd = openSync(join(dir.path, 'log'), 'a');
});

afterEach(async () => {
  await dir.remove();
});

const written = (): string => readFileSync(join(dir.path, 'log'), 'utf8');

const open = (options: Partial<LogOptions> = {}) =>
  openLog({ level: 'info', format: 'json', terminal: false, fd, ...options });

/** More than a pipe holds, less than the log keeps. */
const LINES = 500;

/** What the pipe holds now. */
function drained(reader: number): string {
  const buffer = Buffer.alloc(64 * 1024);
  try {
    return buffer.toString('utf8', 0, readSync(reader, buffer));
  } catch (error) {
    if (systemCode(error) === 'EAGAIN') return '';
    throw error;
  }
}

describe('the log', () => {
  it('is one JSON object a line, with level, time and message', async () => {
    const { log, close } = await open();
    log.info({ peer: '127.0.0.1:5' }, 'connected');
    log.child({ output: 'up' }).warn({}, 'retrying');
    await close();
    const [first, second] = written()
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    expect(first).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      peer: '127.0.0.1:5',
      msg: 'connected',
    });
    expect(second).toMatchObject({ level: 'warn', output: 'up', msg: 'retrying' });
  });

  it('of a process that ends now loses nothing', async () => {
    const { log, flushNow } = await open();
    for (let line = 0; line < 100; line++) log.info({ line }, 'x');
    flushNow();
    // A line that was under way is written beside; the others are there.
    await until('every line is there', () => written().split('\n').length === 101);
  });

  it('is closed in good time though nobody reads it, and does not forget what it holds', async () => {
    const path = join(dir.path, 'pipe');
    execFileSync('mkfifo', [path]);
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { log, close } = await open({
      fd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
    });
    for (let line = 0; line < LINES; line++) log.info({ line, text: 'x'.repeat(500) }, 'unheard');
    await close();
    let text = '';
    await until('it is read', () => {
      text += drained(reader);
      return text.split('\n').length === LINES + 1;
    });
    closeSync(reader);
  });

  it('leaves out what is below its level', async () => {
    const { log, close } = await open({ level: 'warn' });
    log.debug({}, 'a');
    log.info({}, 'b');
    log.warn({}, 'c');
    await close();
    expect(written().match(/"msg":"\w"/g)).toEqual(['"msg":"c"']);
  });

  it('is text for people where that is asked for, coloured on a terminal only', async () => {
    const { log, close } = await open({ format: 'pretty' });
    log.info({ n: 1 }, 'hello');
    await close();
    expect(written()).toMatch(/^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: hello\n {4}n: 1\n$/);
  });

  it('is text on a terminal by itself', async () => {
    const { log, close } = await open({ format: 'auto', terminal: true });
    log.info({}, 'hello');
    await close();
    expect(written()).toContain('hello');
    expect(written()).not.toContain('{');
    expect(written()).toContain('\u001b[');
  });

  it('never holds a secret', async () => {
    const { log, close } = await open();
    log.error({ password: 's3cret', auth: { shared_key: 's3cret', token: 's3cret' } }, 'oh');
    await close();
    expect(written()).not.toContain('s3cret');
    expect(written()).toContain('(hidden)');
  });

  it('carries an error with its stack', async () => {
    const { log, close } = await open();
    log.error({ err: new Error('broken') }, 'oh');
    await close();
    expect(JSON.parse(written())).toMatchObject({
      err: { message: 'broken', stack: expect.stringContaining('pino-log.test.ts') },
    });
  });
});
