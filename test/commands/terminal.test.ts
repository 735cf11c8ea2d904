import { describe, expect, it } from 'vitest';
import { canDraw, columnsOf, paintOf } from '../../src/commands/terminal.ts';
import { FakeHost } from '../cli/fake-host.ts';

function terminal(env: Readonly<Record<string, string>>, columns?: number): FakeHost {
  const host = new FakeHost([], { terminal: true, env });
  return Object.assign(host, { stdout: Object.assign(host.stdout, { columns }) });
}

describe('what a command writes for', () => {
  it('is as wide as the terminal, and of any width where there is none', () => {
    expect(columnsOf(terminal({}, 72))).toBe(72);
    expect(columnsOf(terminal({}, 0))).toBe(Number.POSITIVE_INFINITY);
    expect(columnsOf(new FakeHost([], {}))).toBe(Number.POSITIVE_INFINITY);
  });

  it.each([
    ['a terminal', terminal({ TERM: 'xterm' }), true, true],
    ['a terminal under NO_COLOR', terminal({ NO_COLOR: '1' }), true, false],
    ['a terminal under an empty NO_COLOR', terminal({ NO_COLOR: '' }), true, true],
    ['a terminal that knows only text', terminal({ TERM: 'dumb' }), false, false],
    ['a pipe', new FakeHost([], {}), false, false],
  ])('gets colours and drawings if it is %s that can show them', (_, host, draws, has_colours) => {
    expect(canDraw(host)).toBe(draws);
    expect(paintOf(host)('red', 'x') !== 'x').toBe(has_colours);
  });
});
