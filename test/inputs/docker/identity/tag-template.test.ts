import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogboomError } from '../../../../src/errors.ts';
import {
  compileTagTemplate,
  DEFAULT_TAG,
} from '../../../../src/inputs/docker/identity/tag-template.ts';
import type { Container } from '../../../../src/inputs/docker/types.ts';
import { containerWith } from '../containers.ts';

const WEB = containerWith({
  labels: { app: 'Shop', 'com.x/y': 'a b', empty: '', uni: 'żółw' },
  env: ['A=1', 'PATH=/bin'],
  log_options: { tag: 'x', mode: 'blocking' },
});

function render(template: string, container: Container = WEB, host_name?: string): string {
  return compileTagTemplate(template, 'log option tag')(container, { host_name });
}

function refusalOf(template: string, container: Container = WEB): string {
  try {
    return `rendered ${render(template, container)}`;
  } catch (error) {
    if (!(error instanceof LogboomError)) throw error;
    expect(error.code).toBe('LB_CONTAINER');
    return `${error.where}: ${error.message}`;
  }
}

/** As the text/template of Go 1.19 rendered them with Docker's functions, for the container above. */
const RENDERED: readonly (readonly [template: string, tag: string])[] = [
  ['{{.ID}}', '4f1a2b3c4d5e'],
  ['docker.{{.Name}}', 'docker.web'],
  ['{{.ImageName}}/{{.Name}}/{{.ID}}', 'registry.example:5000/team/web:1.25/web/4f1a2b3c4d5e'],
  [
    '{{.ImageID}}|{{.ImageFullID}}|{{.FullID}}',
    'sha256:a1b2c|sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00|4f1a2b3c4d5e6f708192a3b4c5d6e7f80112233445566778899aabbccddeeff0',
  ],
  ['{{.DaemonName}}/{{.Hostname}}', 'docker/host1'],
  ['{{.Command}}', '/bin/sh -c echo hi'],
  ['{{.ContainerName}}', '/web'],
  ['{{.ContainerArgs}}', '[-c echo hi]'],
  ['{{.ContainerEnv}}', '[A=1 PATH=/bin]'],
  ['{{.ContainerLabels}}', 'map[app:Shop com.x/y:a b empty: uni:żółw]'],
  ['{{.Config}}', 'map[mode:blocking tag:x]'],
  ['{{index .ContainerLabels "app"}}', 'Shop'],
  ['{{index .ContainerLabels "com.x/y"}}', 'a b'],
  ['{{index .ContainerLabels "none"}}', ''],
  ['{{.ContainerLabels.app}}', 'Shop'],
  ['{{.ContainerLabels.none}}', '<no value>'],
  ['{{ .Name | upper }}', 'WEB'],
  ['{{ .Name | upper | lower | title }}', 'Web'],
  ['{{ title "foo bar_baz-qux x.y 1a" }}', 'Foo Bar_baz-Qux X.Y 1a'],
  ['{{ json .ContainerLabels.none }}', 'null'],
  ['{{ json .ContainerLabels }}', '{"app":"Shop","com.x/y":"a b","empty":"","uni":"żółw"}'],
  ['{{ json .ContainerArgs }}', '["-c","echo hi"]'],
  ['{{ json "a<b>\\"\\\\&" }}', '"a<b>\\"\\\\&"'],
  ['{{ json 3 }}', '3'],
  ['{{ json true }}', 'true'],
  ['{{ split .ImageName "/" }}', '[registry.example:5000 team web:1.25]'],
  ['{{ index (split .ImageName "/") 0 }}', 'registry.example:5000'],
  ['{{ join (split .ImageName "/") "." }}', 'registry.example:5000.team.web:1.25'],
  ['{{ split "abc" "" }}', '[a b c]'],
  ['{{ join .ContainerArgs "_" }}', '-c_echo hi'],
  ['{{ pad .Name 1 2 }}|', ' web  |'],
  ['{{ pad "" 1 2 }}|', '|'],
  ['{{ truncate .Name 2 }}', 'we'],
  ['{{ truncate .Name 99 }}', 'web'],
  ['{{ truncate .Name 3 }}', 'web'],
  ['{{ printf "%s-%s" .Name .ID }}', 'web-4f1a2b3c4d5e'],
  ['{{ printf "%-6s|%6s|%.2s|%5.2s" .Name .Name .Name .Name }}', 'web   |   web|we|   we'],
  ['{{ printf "%d %05d %-5d| %x %X" 42 42 42 255 255 }}', '42 00042 42   | ff FF'],
  ['{{ printf "%05d" -42 }}', '-0042'],
  ['{{ printf "%x" .Name }}', '776562'],
  ['{{ printf "%v %v %v" .Name 1 true }}', 'web 1 true'],
  ['{{ printf "%%" }}', '%'],
  ['{{ printf "%s" .ContainerArgs }}', '[-c echo hi]'],
  ['{{ printf "%t" true }}', 'true'],
  ['{{ print .Name "x" 1 2 true .ContainerArgs }}', 'webx1 2 true [-c echo hi]'],
  ['{{ print 1 "a" 2 3 }}', '1a2 3'],
  ['{{ println 1 "a" }}', '1 a\n'],
  ['a {{- .Name -}} b', 'awebb'],
  ['a {{ .Name -}}    b', 'a webb'],
  ['a   {{- .Name }} b', 'aweb b'],
  ['{{/* comment */}}x', 'x'],
  ['x {{- /* comment */ -}} y', 'xy'],
  ['{{/* a */ -}} y', 'y'],
  ['{{if .ContainerLabels.app}}yes{{else}}no{{end}}', 'yes'],
  ['{{if .ContainerLabels.none}}yes{{else}}no{{end}}', 'no'],
  ['{{if eq .Name "web"}}W{{else if eq .Name "db"}}D{{else}}X{{end}}', 'W'],
  ['{{if eq .Name "db"}}W{{else if eq .Name "web"}}D{{else}}X{{end}}', 'D'],
  ['{{if not .ContainerLabels.none}}n{{end}}', 'n'],
  ['{{if and .Name .ID}}both{{end}}', 'both'],
  ['{{or .ContainerLabels.none .Name}}', 'web'],
  ['{{or .ContainerLabels.empty .Name}}', 'web'],
  ['{{and .Name .ContainerLabels.empty}}', ''],
  ['{{and .ContainerLabels.none .Name}}', '<no value>'],
  ['{{or .ContainerLabels.none}}', '<no value>'],
  ['{{len .Name}} {{len .ContainerArgs}} {{len .ContainerLabels}}', '3 2 4'],
  ['{{len "żółw"}}', '7'],
  ['{{slice .Name 1}} {{slice .Name 1 2}} {{slice .Name}}', 'eb e web'],
  ['{{slice .ContainerArgs 1}}', '[echo hi]'],
  [
    '{{eq 1 1}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}}',
    'true true true true false false',
  ],
  ['{{lt "a" "b"}} {{gt "ż" "z"}}', 'true true'],
  ['{{eq .Name "a" "web"}}', 'true'],
  ['{{eq true true}}', 'true'],
  ['{{true}} {{42}} {{-3}} {{"x"}}', 'true 42 -3 x'],
  ['{{lower "ŻÓŁW"}} {{upper "żółw"}}', 'żółw ŻÓŁW'],
  ['{{title "żółw"}}', 'Żółw'],
  ['{{(index (split .ImageName "/") 0) | upper}}', 'REGISTRY.EXAMPLE:5000'],
  ['{{(.ContainerLabels).app}}', 'Shop'],
  ['{{ upper (print .Name ".x") }}', 'WEB.X'],
  ['}} {{.Name}} }}', '}} web }}'],
  ['{ {.Name} }', '{ {.Name} }'],
  ['{{"\\t\\"\\\\é"}}', '\t"\\é'],
  ['{{- .Name -}}', 'web'],
  ['x{{3 -}} y', 'x3y'],
  ['{{.Name|upper}}', 'WEB'],
  ['{{index .ContainerLabels "app"|lower}}', 'shop'],
  ['{{index .Config "mode"}}', 'blocking'],
  ['{{print}}', ''],
  ['{{printf "%s %s" "a" "b" | upper}}', 'A B'],
  ['{{"a" | printf "%s-%s" .Name}}', 'web-a'],
  ['{{truncate .ContainerLabels.uni 2}}', 'ż'],
  ['{{.ContainerLabels.com}}', '<no value>'],
  ['{{- -3 -}}', '-3'],
  ['{{-3}}', '-3'],
  ['a{{- 3}}', 'a3'],
  ['{{.Name }}-{{ .ID}}', 'web-4f1a2b3c4d5e'],
  ['{{`raw`}}', 'raw'],
  ['a\n\n {{- .Name -}} \n\n b', 'awebb'],
  ['{{\n.Name\n}}', 'web'],
];

describe('a tag template', () => {
  it.each(RENDERED)('%s is rendered as Docker does', (template, tag) => {
    expect(render(template, WEB, 'host1')).toBe(tag);
  });

  it('is the short id by default', () => {
    expect(render(DEFAULT_TAG)).toBe('4f1a2b3c4d5e');
  });

  it('without braces is the tag', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('{{')),
        (text) => {
          expect(render(text)).toBe(text);
        },
      ),
    );
  });

  it('renders, or is refused with a column, whatever it is made of', () => {
    const atoms = ['.Name', '.ContainerLabels', '.app', '"x"', '1', '|', '(', ')', 'upper', 'json'];
    const more = ['index', 'printf', '"%5s"', 'if', 'end', 'else', '{{', '}}', '{{-', '-}}', ' '];
    const piece = fc.constantFrom(...atoms, ...more);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        expect(refusalOf(pieces.join(' '))).toMatch(/^rendered |: column \d+ of the tag: /s);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what Docker would refuse, or would render in a way that is not known here', () => {
  it.each([
    ['{{.Nmae}}', 'column 3 of the tag: the field .Nmae is not supported'],
    ['a.{{shout .Name}}', 'column 5 of the tag: the function shout is not supported'],
    ['{{.ContainerCreated}}', 'column 3 of the tag: the field .ContainerCreated is not supported'],
    ['{{.Name', "column 1 of the tag: this '{{' is never closed"],
    ['{{/* {{.Name}}', 'column 1 of the tag: this comment is never closed'],
    ['{{/* a */ .Name}}', 'column 1 of the tag: a comment must fill its action'],
    ['{{"a}}', 'column 3 of the tag: this text is never closed'],
    ['{{if .Name}}x', 'column 1 of the tag: this {{if}} has no {{end}}'],
    ['x{{end}}', 'column 2 of the tag: there is no {{if}} for this {{end}}'],
    ['{{range .ContainerArgs}}x{{end}}', 'column 3 of the tag: range is not supported'],
    ['{{.Name | .ID}}', "column 11 of the tag: expected a function behind '|'"],
    ['{{.Name .ID}}', 'column 9 of the tag: only functions take arguments'],
    ['{{}}', 'column 1 of the tag: a value is missing'],
    ['{{$x := .Name}}', 'column 3 of the tag: $ is not supported'],
    ['{{1.5}}', 'column 3 of the tag: expected a whole decimal number, found 1.5'],
  ])('%s is refused without a container', (template, message) => {
    expect(refusalOf(template)).toBe(`log option tag: ${message}`);
  });

  it.each([
    ['{{.Name.First}}', 'column 3 of the tag: .First: a text has no keys'],
    ['{{printf "%d" .Name}}', 'column 3 of the tag: printf: %d is not supported for a text'],
    ['{{printf "%s"}}', 'column 3 of the tag: printf: there is no argument for %s'],
    [
      '{{lower .ContainerLabels.gone}}',
      'column 3 of the tag: lower: expected a text, found no value',
    ],
    [
      '{{index .ContainerArgs 7}}',
      'column 3 of the tag: index: there is no item 7; the list has 2',
    ],
    [
      '{{truncate .ContainerLabels.uni 3}}',
      'column 3 of the tag: truncate: "żółw" would be cut inside of a character',
    ],
    [
      'a.{{.Hostname}}',
      "column 5 of the tag: the host's name is not known; give it as docker.hostname",
    ],
  ])('%s is refused for the container', (template, message) => {
    expect(refusalOf(template)).toBe(`log option tag: ${message}`);
  });

  it('an empty list as JSON, which Docker may write as null', () => {
    const bare = containerWith({ command: ['/bin/true'] });
    expect(refusalOf('{{json .ContainerArgs}}', bare)).toContain('{} or null');
  });

  it('nesting without an end', () => {
    expect(refusalOf(`{{${'('.repeat(10_000)}`)).toContain('never closed');
    expect(refusalOf(`{{${'('.repeat(1_000)}.Name${')'.repeat(1_000)}}}`)).toContain('too deeply');
    expect(refusalOf('{{if .Name}}'.repeat(1_000))).toContain('too deeply');
  });
});
