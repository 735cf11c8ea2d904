import { systemCode } from '../errors.ts';
import { type FileSystem, withFile } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import { type Place, RECORD_KIND, SEGMENT_HEADER_BYTES } from './format.ts';
import { SegmentParser } from './segment-parser.ts';
import { SegmentScan } from './segment-scan.ts';
import type { Segment, SegmentList } from './segments.ts';
import type { Tail } from './tail.ts';

export interface LocateContext {
  readonly fs: FileSystem;
  readonly segments: SegmentList;
  readonly tail: Tail;
  readonly read_chunk_bytes: number;
  readonly log: Log;
}

/**
 * How many events and bytes come before `seq`, exactly: from memory, or else by
 * reading record headers from the last entry point before it. Where the record
 * is damaged or gone, the place of the next one that is there.
 */
export async function locate(context: LocateContext, seq: number): Promise<Place> {
  const known = context.tail.place(seq);
  if (known !== undefined) return known;
  const segment = context.segments.find(seq);
  if (segment === undefined) return context.tail.end;
  if (segment.first.seq >= seq) return segment.first;
  const found = await findInSegment(context, segment, seq);
  return found ?? context.segments.after(segment)?.first ?? context.tail.end;
}

async function findInSegment(
  { fs, segments, read_chunk_bytes, log }: LocateContext,
  segment: Segment,
  seq: number,
): Promise<Place | undefined> {
  const parser = new SegmentParser(segments.bounds(segment), SEGMENT_HEADER_BYTES);
  const mark = segment.markBefore(seq);
  if (mark !== undefined) parser.resume(mark);
  parser.skipTo(seq);
  parser.skipBodies();
  try {
    return await withFile(fs, segment.path, async (file) => {
      const scan = new SegmentScan(segment.readable(file, log), parser, read_chunk_bytes);
      for (let item = await scan.next(); item !== undefined; item = await scan.next()) {
        if (item.type === 'commit' && item.frame.first.seq >= seq) return item.frame.first;
        if (item.type !== 'record' || item.header.kind !== RECORD_KIND.events) continue;
        if (item.place.seq >= seq) return item.place;
      }
      return undefined;
    });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return undefined;
  }
}
