// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import { describe, expect, it } from 'vitest';
import { renderProblem } from '../../src/config/problem.ts';
import { parse, problemsOf } from './parsing.ts';

/** What is wrong, the file, and exactly what is said about it. */
type Case = readonly [name: string, text: string, problems: readonly string[]];

const KEYS: readonly Case[] = [
  [
    'a key that is nearly right',
    'journal:\n  max_sise: 8GiB\n',
    ['logboom.yaml:2:3 journal.max_sise: there is no key "max_sise" here | Did you mean max_size?'],
  ],
  [
    'a key that is like no other',
    'log: {colour: red}\n',
    ['logboom.yaml:1:7 log.colour: there is no key "colour" here | There are level, format.'],
  ],
  [
    'a key that belongs elsewhere on the same level of another type of output',
    'outputs:\n  a:\n    type: stdout\n    servers: []\n',
    [
      'logboom.yaml:4:5 outputs.a.servers: there is no key "servers" here | There are type, match, start_at, max_lag, add, tag_prefix, join_partial, format, transient.',
    ],
  ],
  [
    'a merge key',
    'journal: &j {dir: x}\nlog:\n  <<: *j\n',
    [
      'logboom.yaml:3:3 log.<<: there is no key "<<" here | Merge keys are not read; an alias (*name) can stand for a whole value.',
    ],
  ],
  [
    'a key that JavaScript gives a meaning to',
    'outputs:\n  a: {type: stdout, add: {__proto__: x}}\n',
    ['logboom.yaml:2:27 outputs.a.add.__proto__: nothing can have this name'],
  ],
  [
    'the same key twice',
    'log:\n  level: info\n  level: warn\n',
    ['logboom.yaml:3:3 : expected each key once, found "level" again'],
  ],
  [
    'a key that is missing',
    'outputs:\n  e:\n    type: file\n',
    [
      'logboom.yaml:2:3 outputs.e.path: the key "path" is missing; expected text | The file. `{tag}` stands for the tag of an event, `{date}` for the day (UTC) it is written. Rotated files stand beside it, named after it with their time and number.',
    ],
  ],
  [
    'an output without a type',
    'outputs:\n  e: {path: x}\n',
    [
      'logboom.yaml:2:3 outputs.e.type: the key "type" is missing; expected one of forward, file, stdout',
    ],
  ],
  [
    'an output of an unknown type',
    'outputs:\n  e: {type: forwrd}\n',
    [
      'logboom.yaml:2:13 outputs.e.type: expected one of forward, file, stdout, found "forwrd" | Did you mean forward?',
    ],
  ],
  [
    'an output whose name is no safe file name',
    'outputs:\n  "../Up Stream": {type: stdout}\n',
    [
      'logboom.yaml:2:3 outputs.../Up Stream: expected a name of lower-case letters, digits, - and _, found "../Up Stream": other characters are not safe in file names | Did you mean up-stream?',
    ],
  ],
  [
    'an output whose name is too long',
    `outputs:\n  ${'x'.repeat(65)}: {type: stdout}\n`,
    [
      `logboom.yaml:2:3 outputs.${'x'.repeat(65)}: expected a name of lower-case letters, digits, - and _, found "${'x'.repeat(65)}": it is 65 characters long; 64 is the most`,
    ],
  ],
];

const VALUES: readonly Case[] = [
  [
    'a size without a unit',
    'journal:\n  max_size: 1024\n',
    [
      'logboom.yaml:2:13 journal.max_size: expected a size with its unit from 64MiB, found the number 1024: a unit is missing',
    ],
  ],
  [
    'a size that is too small',
    'journal: {max_size: 1MiB, segment_size: 8MiB}\n',
    [
      'logboom.yaml:1:21 journal.max_size: expected a size with its unit from 64MiB, found "1MiB": it is too small | Did you mean 64MiB?',
    ],
  ],
  [
    'a duration that is too long',
    'journal: {linger: 1m}\n',
    [
      'logboom.yaml:1:19 journal.linger: expected a duration with its unit up to 10s, found "1m": it is too large | Did you mean 10s?',
    ],
  ],
  [
    'false where off is meant',
    'outputs:\n  a: {type: stdout, max_lag: false}\n',
    [
      'logboom.yaml:2:30 outputs.a.max_lag: expected a size with its unit from 64MiB, or off, found the value false: it is not a duration or size | Did you mean off?',
    ],
  ],
  [
    'a word that is not one of those possible',
    'journal:\n  on_full: dropoldest\n',
    [
      'logboom.yaml:2:12 journal.on_full: expected one of block, drop_oldest, found "dropoldest" | Did you mean drop_oldest?',
    ],
  ],
  [
    'text where a number belongs',
    'inputs: {limits: {connections: many}}\n',
    ['logboom.yaml:1:32 inputs.limits.connections: expected a whole number, found "many"'],
  ],
  [
    'a fraction where a whole number belongs',
    'inputs: {limits: {connections: 1.5}}\n',
    ['logboom.yaml:1:32 inputs.limits.connections: expected a whole number, found the number 1.5'],
  ],
  [
    'a number beyond its range',
    'inputs: {limits: {nesting: 7}}\n',
    [
      'logboom.yaml:1:28 inputs.limits.nesting: expected a whole number from 8 up, found the number 7',
    ],
  ],
  [
    'a number where text belongs',
    'journal:\n  dir: 5\n',
    ['logboom.yaml:2:8 journal.dir: expected text, found the number 5'],
  ],
  [
    'text that is empty',
    'journal:\n  dir: ""\n',
    ['logboom.yaml:2:8 journal.dir: expected text that is not empty, found ""'],
  ],
  [
    'a key without its value',
    'journal:\n  dir:\n',
    ['logboom.yaml:2:7 journal.dir: expected text, found nothing'],
  ],
  [
    'a list where a section belongs',
    'journal: [dir]\n',
    ['logboom.yaml:1:10 journal: expected a section of keys and values, found a list'],
  ],
  [
    'a section where a list belongs',
    'inputs: {forward: {listen: x}}\n',
    ['logboom.yaml:1:19 inputs.forward: expected a list, found a section'],
  ],
  [
    'a word where true or false belongs',
    'outputs:\n  a: {type: stdout, transient: maybe}\n',
    ['logboom.yaml:2:32 outputs.a.transient: expected true or false, found "maybe"'],
  ],
  [
    'a whole file that is a list',
    '- journal\n',
    ['logboom.yaml:1:1 : expected a section of keys and values, found a list'],
  ],
  [
    'a server that is neither a URL nor a section',
    'outputs:\n  a: {type: forward, servers: [[tcp]]}\n',
    [
      'logboom.yaml:2:32 outputs.a.servers[0]: expected text or a section of keys and values, found a list',
    ],
  ],
  [
    'a mistake inside a server',
    'outputs:\n  a:\n    type: forward\n    servers:\n      - {url: "tcp://a", wieght: 2}\n      - b:1\n',
    [
      'logboom.yaml:5:26 outputs.a.servers[0].wieght: there is no key "wieght" here | Did you mean weight?',
      'logboom.yaml:6:9 outputs.a.servers[1]: expected the URL of a server, such as tcp://aggregator:24224 or tls://aggregator:24224, found "b:1": it does not begin with tcp:// or tls:// or unix:// | Did you mean tcp://b:1?',
    ],
  ],
  [
    'a forward output without servers',
    'outputs:\n  a: {type: forward, servers: []}\n',
    ['logboom.yaml:2:31 outputs.a.servers: expected a list of at least 1, found an empty list'],
  ],
  [
    'one server where a list of them belongs',
    'outputs:\n  a: {type: forward, servers: "tcp://a:24224"}\n',
    [
      'logboom.yaml:2:31 outputs.a.servers: expected a list, found "tcp://a:24224" | Did you mean [tcp://a:24224]?',
    ],
  ],
  [
    'a URL where a list of sections belongs, and text that holds a password',
    'inputs: {forward: "tcp://a:1"}\noutputs:\n  a: {type: forward, servers: "tcp://u:p@a:1"}\n',
    [
      'logboom.yaml:1:19 inputs.forward: expected a list, found "tcp://a:1"',
      'logboom.yaml:3:31 outputs.a.servers: expected a list, found "tcp://…@a:1"',
    ],
  ],
  [
    'a tag pattern that is not closed',
    'outputs:\n  a: {type: stdout, match: "app.{a,b"}\n',
    [
      `logboom.yaml:2:28 outputs.a.match: expected tag patterns, such as "**" or "app.* db.{main,replica}", found "app.{a,b": tag pattern, column 5: this '{' is never closed. Close it with '}', or write '\\{' for the character.`,
    ],
  ],
  [
    'a placeholder that does not exist',
    'outputs:\n  a: {type: file, path: "x/{tga}.log"}\n',
    [
      'logboom.yaml:2:25 outputs.a.path: expected the path of a file, such as events.ndjson or {date}/{tag}.ndjson, found "x/{tga}.log": there is no {tga} | Did you mean x/{tag}.log?',
    ],
  ],
  [
    'a file mode that was meant as octal',
    'outputs:\n  a: {type: file, path: x, mode: 640}\n',
    [
      'logboom.yaml:2:34 outputs.a.mode: expected an octal file mode, such as "0640", found the number 640: it is not four octal digits | Did you mean "0640"?',
    ],
  ],
  [
    'a field to add that is a list',
    'outputs:\n  a: {type: stdout, add: {host: [web1]}}\n',
    [
      'logboom.yaml:2:33 outputs.a.add.host: expected text or a whole number or true or false, found a list',
    ],
  ],
];

const SYNTAX: readonly Case[] = [
  [
    'text that is never closed',
    'journal:\n  dir: "x\n',
    ['logboom.yaml:3:1 : not valid YAML: Missing closing "quote'],
  ],
  [
    'a tab',
    'journal:\n\tdir: x\n',
    ['logboom.yaml:2:1 : not valid YAML: Tabs are not allowed as indentation'],
  ],
  [
    'two documents',
    'log: {}\n---\nlog: {}\n',
    ['logboom.yaml:2:1 : not valid YAML: expected one document, found another'],
  ],
  [
    'an unknown tag',
    'journal:\n  dir: !secret x\n',
    ['logboom.yaml:2:8 : not valid YAML: Unresolved tag: !secret'],
  ],
  [
    'a variable without quotes inside braces',
    'journal: {dir: ${DIR}}\n',
    [
      'logboom.yaml:1:17 : not valid YAML: Unexpected flow-map-start at node end | Put quotes around "${...}": inside { } and [ ], YAML takes its braces for its own.',
    ],
  ],
  [
    'an alias of nothing',
    'journal: *j\n',
    [
      'logboom.yaml:1:10 journal: expected an alias of something above, found *j: no anchor of this name stands before it',
    ],
  ],
  [
    'an alias inside of what it stands for',
    'journal: &j {dir: *j}\n',
    [
      'logboom.yaml:1:19 journal.dir: expected an alias of something above, found *j: it stands for itself',
    ],
  ],
];

describe('keys', () => {
  it.each(KEYS)('%s is named with its place', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});

describe('values', () => {
  it.each(VALUES)('%s is named with its place', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });
});

describe('syntax', () => {
  it.each(SYNTAX)('%s is named with its place', (_name, text, problems) => {
    expect(problemsOf(text)).toEqual(problems);
  });

  it('of a file that aliases blow up ends in an error, and soon', () => {
    const levels = Array.from(
      { length: 30 },
      (_, level) => `a${level}: &a${level} [${`*a${level - 1},`.repeat(9)}]`,
    );
    const bomb = ['a-1: &a-1 [x]', ...levels].join('\n');
    expect(problemsOf(bomb)[0]).toBe(
      'logboom.yaml : expected at most 20000 values, 64 levels deep | Do aliases (*name) repeat each other?',
    );
  });

  it.each([70, 100_000])('nested %d levels deep ends in an error', (levels) => {
    const [problem] = problemsOf(`journal: ${'['.repeat(levels)}${']'.repeat(levels)}`);
    expect(problem).toMatch(/^logboom.yaml/);
  });

  it('of a file beyond the size limit is not looked at', () => {
    expect(problemsOf(`#${'x'.repeat(5_000_000)}`)[0]).toBe(
      'logboom.yaml : expected at most 4194304 bytes, found 5000001',
    );
  });
});

describe('all problems', () => {
  const MANY = [
    'shutdown: {timeout: 10}',
    'outputs:',
    '  a: {type: forwrd}',
    '  b: {type: forward, servers: [tcp://x], chunk_size: 16MiB}',
    'journal:',
    '  segment_size: 1GiB',
    '  max_size: 1GiB',
    'status: {listen: 24220}',
  ].join('\n');

  it('of a file are reported at once, in its order', () => {
    expect(
      problemsOf(MANY).map((problem) => problem.split(':', 3).join(':').split(' ')[0]),
    ).toEqual([
      'logboom.yaml:1:21',
      'logboom.yaml:3:13',
      'logboom.yaml:4:54',
      'logboom.yaml:6:17',
      'logboom.yaml:8:18',
    ]);
  });

  it('show the line and underline what is meant', () => {
    const result = parse('journal:\n  max_size: 8 gigs\n');
    if (result.ok) throw new Error('expected a problem');
    expect(renderProblem(result.problems[0])).toBe(
      [
        'logboom.yaml:2:13: journal.max_size: expected a size with its unit from 64MiB, found "8 gigs": there is no unit "gigs"',
        '      max_size: 8 gigs',
        '                ^^^^^^',
        '  Did you mean 8GiB?',
      ].join('\n'),
    );
  });

  it('in a long line show the part around them', () => {
    const result = parse(`journal: {dir: ${'x'.repeat(300)}, linger: 5min, on_full: block}\n`);
    if (result.ok) throw new Error('expected a problem');
    const [, line = '', marks = ''] = renderProblem(result.problems[0]).split('\n');
    expect(line.length).toBeLessThan(120);
    expect(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1)).toBe('5min');
  });
});
