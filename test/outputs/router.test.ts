import { expect, test } from 'vitest';
import { LogboomError } from '../../src/errors.ts';
import { Router } from '../../src/outputs/router.ts';
import { DropLedger } from '../../src/sys/ledger.ts';

const tag = (text: string): Buffer => Buffer.from(text);

test('an event goes to every output whose pattern matches', () => {
  const router = new Router(
    [
      { output: 'archive', match: '**' },
      { output: 'apps', match: 'app.**' },
      { output: 'database', match: 'db.{main,replica}' },
    ],
    new DropLedger(),
  );
  expect([...router.match(tag('app.web'))]).toEqual(['archive', 'apps']);
  expect([...router.match(tag('db.main'))]).toEqual(['archive', 'database']);
  expect([...router.match(tag('db.other'))]).toEqual(['archive']);
});

test('an answer is remembered and stays the same', () => {
  const router = new Router([{ output: 'apps', match: 'app.*' }], new DropLedger());
  expect(router.match(tag('app.web'))).toBe(router.match(tag('app.web')));
});

test('tags that differ only in bytes that are not UTF-8 are told apart', () => {
  const router = new Router([{ output: 'odd', match: 'a.*' }], new DropLedger());
  expect(router.match(Buffer.from([0x61, 0x2e, 0xff])).size).toBe(1);
  expect(router.match(Buffer.from([0x62, 0x2e, 0xff])).size).toBe(0);
  expect(router.match(Buffer.from([0x62, 0x2e, 0xfe])).size).toBe(0);
});

test('events that no output takes are counted as unrouted, by tag', () => {
  const drops = new DropLedger();
  const router = new Router([{ output: 'apps', match: 'app.**' }], drops);
  router.routed(tag('app.web'), 5);
  router.routed(tag('other'), 2);
  router.routed(tag('other'), 1);
  router.routed(tag('x'.repeat(4000)), 1);
  expect(drops.toJSON()).toEqual({ unrouted: { other: 3, ['x'.repeat(64)]: 1 } });
});

test('replaced routes hold at once, also for tags that were asked before', () => {
  const router = new Router([{ output: 'apps', match: 'app.**' }], new DropLedger());
  expect(router.match(tag('app')).size).toBe(1);
  router.replace([{ output: 'others', match: '{x,y}' }]);
  expect(router.match(tag('app')).size).toBe(0);
  expect([...router.match(tag('x'))]).toEqual(['others']);
});

test('a pattern that is not valid leaves the old routes in place', () => {
  const router = new Router([{ output: 'apps', match: 'app.**' }], new DropLedger());
  expect(() => router.replace([{ output: 'apps', match: 'a.{b' }])).toThrow(LogboomError);
  expect([...router.match(tag('app.web'))]).toEqual(['apps']);
});

test('a flood of tags, long ones too, does not wear out the router', () => {
  const router = new Router([{ output: 'even', match: '**0' }], new DropLedger());
  for (let i = 0; i < 20_000; i += 1) {
    const flood = `${'t'.repeat(i % 300)}.${i}`;
    expect(router.match(tag(flood)).size).toBe(i % 10 === 0 ? 1 : 0);
  }
});
