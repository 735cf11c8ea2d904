import { ForwardStats } from '../../src/inputs/forward/stats.ts';
import type { OutputStats } from '../../src/outputs/output.ts';
import type { ContainerFigures, JournalFigures, StatusSource } from '../../src/status/source.ts';

const MIB = 1024 * 1024;

/** Figures that a test sets as it likes, behind the interface that snapshots are made from. */
export class FakeStatusSource implements StatusSource {
  readonly about = { version: '1.2.3', pid: 42, node: 'v22.0.0', started_ms: 0 };
  readonly input = new ForwardStats();
  readonly journal_options = { dir: '/j', on_full: 'block', max_bytes: 100 * MIB } as const;
  is_stopping = false;
  disk_free: number | undefined;
  journaled = { events: 0, bytes: 0 };
  disk_bytes = MIB;
  cursors: ReturnType<JournalFigures['cursors']> = [];
  output_stats: Record<string, Partial<OutputStats>> = {};
  container_figures: ContainerFigures[] = [];
  state: JournalFigures['state'] = 'writable';

  get journal(): JournalFigures {
    const { events, bytes: body_bytes } = this.journaled;
    return {
      state: this.state,
      oldest_seq: 1,
      durable_seq: events,
      cursors: () => this.cursors,
      totals: () => ({
        ...{ events, body_bytes, disk_bytes: this.disk_bytes, segments: 1 },
        ...{ oldest_ms: 5_000, quarantined: 0, cut: 0 },
      }),
    };
  }

  isStopping(): boolean {
    return this.is_stopping;
  }

  listening(): string[] {
    return ['tcp://127.0.0.1:24224'];
  }

  diskFree(): number | undefined {
    return this.disk_free;
  }

  outputs(): { name: string; type: string; stats: OutputStats }[] {
    return Object.entries(this.output_stats).map(([name, stats]) => ({
      name,
      type: 'forward',
      stats: { ...QUIET, ...stats },
    }));
  }

  containers(): ContainerFigures[] {
    return this.container_figures;
  }

  gaps(): [] {
    return [];
  }

  dropped(): Record<string, never> {
    return {};
  }
}

const QUIET: OutputStats = {
  state: 'running',
  events_out: 0,
  bytes_out: 0,
  chunks_in_flight: 0,
  retries: 0,
  last_error: undefined,
  last_error_ms: undefined,
  cursor_seq: 1,
  cursor_events: undefined,
  cursor_committed_ms: undefined,
  details: {},
};
