import { createHash } from 'node:crypto';
import type { FileSystem } from '../../sys/fs.ts';
import { LogFeed, type LogFeedDeps } from '../docker/log-feed.ts';
import { openLog } from '../logfile/follow/open-log.ts';
import type { ReadMemory } from '../logfile/follow/read-memory.ts';
import { CriFormat } from '../logfile/formats/cri.ts';
import { JsonFileFormat } from '../logfile/formats/json-file.ts';
import type { LineFormat, LogTrouble } from '../logfile/types.ts';
import type { TailFormat } from './detect-format.ts';
import type { FollowedLog } from './tail-input.ts';

export interface FollowDeps extends LogFeedDeps {
  readonly fs: FileSystem;
  readonly memory: ReadMemory;
  readonly onTrouble: (trouble: LogTrouble) => void;
}

const FORMATS: Readonly<Record<TailFormat, LineFormat>> = {
  cri: new CriFormat(),
  'json-file': new JsonFileFormat(),
};

/** A position's key has 255 bytes at most; Kubernetes' paths can be longer. */
const KEY_MAX_BYTES = 255;

/** Has one log read into the journal from its position on. */
export function followFile(log: FollowedLog, deps: FollowDeps): LogFeed {
  const { file, identity, start_at } = log;
  const format = FORMATS[file.format];
  const { directory, name, rotation } = file;
  const files = { directory, name, rotation, format };
  const { onTrouble } = deps;
  const feed = new LogFeed(
    {
      key: positionKey(file.real_path),
      format,
      open: (from) => openLog({ files, from, onTrouble }, deps),
      start_at,
      identity: () => identity,
    },
    deps,
  );
  feed.start();
  return feed;
}

/** The same file has the same key after a restart. */
export function positionKey(real_path: string): string {
  const key = `tail:${real_path}`;
  if (Buffer.byteLength(key) <= KEY_MAX_BYTES) return key;
  return `tail:${createHash('sha256').update(real_path).digest('hex')}`;
}
