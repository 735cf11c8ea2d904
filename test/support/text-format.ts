import type { LineFormat, LogLine } from '../../src/inputs/logfile/types.ts';

const NEWLINE = 0x0a;

/** Lines of printable text; a NUL or a `#` begins none. For tests of what all formats have in common. */
export const textFormat: LineFormat = {
  name: 'cri',
  entryEnd(buf, start, end) {
    if (start >= end) return -1;
    if (buf[start] === 0 || buf[start] === 0x23) return Number.NaN;
    const newline = buf.indexOf(NEWLINE, start);
    return newline === -1 || newline >= end ? -1 : newline + 1;
  },
  resync(buf, start, end) {
    let at = start;
    while (at < end && buf[at] === 0) at++;
    if (at > start && at < end) return at;
    const newline = buf.indexOf(NEWLINE, at);
    return newline === -1 || newline >= end ? end : newline + 1;
  },
  parse(buf: Buffer, start: number, end: number, line: LogLine): boolean {
    line.buf = buf;
    line.log_start = start;
    line.log_end = end - 1;
    return true;
  },
};
