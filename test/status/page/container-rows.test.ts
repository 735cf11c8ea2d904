import { describe, expect, it } from 'vitest';
import { COLUMNS, containerRows } from '../../../src/status/page/browser/container-rows.js';
import type { ContainerStatus } from '../../../src/status/types.ts';
import { sampleContainer } from '../../support/status-samples.ts';

const containers = [
  sampleContainer(1, { name: 'web-10', how: 'merged', last_line_s: null, late: 0 }),
  sampleContainer(2, { name: 'web-9', how: 'local', last_line_s: 50, late: 7 }),
  sampleContainer(3, { name: 'Db', how: 'json-file', last_line_s: 90, late: 7 }),
];
const names = (rows: readonly ContainerStatus[]): string[] => rows.map(({ name }) => name);

describe('the rows of the container table', () => {
  it('are sorted by name as a person would, numbers by their size', () => {
    expect(names(containerRows(containers, '', 'name', 'ascending'))).toEqual([
      'Db',
      'web-9',
      'web-10',
    ]);
    expect(names(containerRows(containers, '', 'name', 'descending'))).toEqual([
      'web-10',
      'web-9',
      'Db',
    ]);
  });

  it('have those first that never had a line, when sorted by it', () => {
    expect(names(containerRows(containers, '', 'last_line_s', 'ascending'))).toEqual([
      'web-10',
      'web-9',
      'Db',
    ]);
  });

  it('are sorted by name where their figures are equal, whatever the order', () => {
    expect(names(containerRows(containers, '', 'late', 'descending'))).toEqual([
      'Db',
      'web-9',
      'web-10',
    ]);
    expect(names(containerRows(containers, '', 'late', 'ascending'))).toEqual([
      'web-10',
      'Db',
      'web-9',
    ]);
  });

  it('can be sorted by every column', () => {
    for (const { key, first } of COLUMNS) {
      expect(containerRows(containers, '', key, first)).toHaveLength(3);
    }
  });

  it('are those with every word of the filter in name, id or how', () => {
    const found = (filter: string) => names(containerRows(containers, filter, 'name', 'ascending'));
    expect(found('WEB')).toEqual(['web-9', 'web-10']);
    expect(found(' web  merged ')).toEqual(['web-10']);
    expect(found('0003')).toEqual(['Db']);
    expect(found('nothing')).toEqual([]);
  });
});
