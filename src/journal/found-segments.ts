import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { LogboomError } from '../errors.ts';
import { type FileSystem, readFully, withFile } from '../sys/fs.ts';
import {
  decodeSegmentHeader,
  FORMAT_VERSION,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './format.ts';
import { isUnreadable } from './salvaged-file.ts';
import { seqOfSegmentName } from './segments.ts';

const JOURNAL_ID_BYTES = 16;

/** A segment file as its header shows it. */
export interface FoundSegment {
  readonly path: string;
  /** As its name tells. */
  readonly first_seq: number;
  readonly bytes: number;
  /** Undefined if damaged. */
  readonly header: SegmentHeader | undefined;
}

/** Segment files by first seq, with their headers. Rejects with LB_JOURNAL_VERSION at one of a newer format. */
export async function findSegments(fs: FileSystem, directory: string): Promise<FoundSegment[]> {
  const found: FoundSegment[] = [];
  for (const name of await fs.readdir(directory)) {
    const first_seq = seqOfSegmentName(name);
    if (first_seq === undefined) continue;
    const path = join(directory, name);
    const { bytes } = await fs.stat(path);
    const header = await withFile(fs, path, async (file) => {
      const content = Buffer.alloc(SEGMENT_HEADER_BYTES);
      const got_bytes = await readFully(file, content, 0).catch(nothingIfUnreadable);
      return decodeSegmentHeader(content.subarray(0, got_bytes));
    });
    if (header !== undefined && header.version > FORMAT_VERSION) throw newerFormat(path, header);
    found.push({ path, first_seq, bytes, header });
  }
  return found.toSorted((a, b) => a.first_seq - b.first_seq);
}

/**
 * The journal that the segments belong to: the one that the LOCK file names, if
 * any segment is of it; else that of the newest readable segment; else a new one.
 */
export function journalIdOf(found: readonly FoundSegment[], noted: string | undefined): Buffer {
  const ids = found.flatMap(({ header }) => (header === undefined ? [] : [header.journal_id]));
  const noted_id = noted === undefined ? undefined : Buffer.from(noted, 'hex');
  if (noted_id !== undefined && ids.every((id) => !id.equals(noted_id))) {
    return ids.at(-1) ?? noted_id;
  }
  return noted_id ?? ids.at(-1) ?? randomBytes(JOURNAL_ID_BYTES);
}

/** A bad sector: the header is damaged, and so handled; what is behind it may be whole. */
function nothingIfUnreadable(error: unknown): number {
  if (isUnreadable(error)) return 0;
  throw error;
}

function newerFormat(path: string, { version }: SegmentHeader): LogboomError {
  return new LogboomError(
    'LB_JOURNAL_VERSION',
    `the segment has format ${version}, this logboom reads up to ${FORMAT_VERSION}`,
    { where: path, hint: 'Start the newer logboom again, or give this one another directory.' },
  );
}
