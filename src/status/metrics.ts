import { PrometheusText, type Sample } from './prometheus-text.ts';
import type { ContainerStatus, OutputStatus, RelayStatus } from './types.ts';

/** More containers share the label `(other)`, so that the number of series is bounded. */
const CONTAINERS_MAX = 256;
const OTHERS = '(other)';

/** The snapshot for Prometheus. The sets of labels are bounded; times are in seconds, sizes in bytes. */
export function metricsText(status: RelayStatus): string {
  const text = new PrometheusText();
  processMetrics(text, status);
  inputMetrics(text, status);
  journalMetrics(text, status);
  outputMetrics(text, status.outputs);
  containerMetrics(text, status.containers);
  lossMetrics(text, status);
  return text.toString();
}

function processMetrics(text: PrometheusText, status: RelayStatus): void {
  const { version, node, started_ms, resident_bytes, state } = status;
  const labels = { version, node };
  text.gauge('logboom_build_info', 'Always 1; which logboom this is.', [{ labels, value: 1 }]);
  text.gauge('logboom_start_time_seconds', 'When the relay started.', started_ms / 1000);
  text.gauge('logboom_stopping', '1 while the relay is about to stop.', flag(state === 'stopping'));
  text.gauge('logboom_resident_memory_bytes', 'Memory of the process.', resident_bytes);
}

function inputMetrics(text: PrometheusText, { inputs }: RelayStatus): void {
  text.gauge('logboom_connections', 'Forward connections that are open.', inputs.connections_open);
  text.counter(
    'logboom_connections_accepted_total',
    'Forward connections that were taken.',
    inputs.connections_total,
  );
  text.counter(
    'logboom_connections_ended_total',
    'Forward connections that ended in another way than well.',
    labelled('reason', {
      refused: inputs.connections_refused,
      broken: inputs.connections_broken,
      failed: inputs.connections_failed,
      empty: inputs.connections_empty,
      tls: inputs.tls_failures,
      handshake: inputs.handshake_failures,
    }),
  );
  text.counter('logboom_input_messages_total', 'Forward messages received.', inputs.messages);
  text.counter('logboom_input_events_total', 'Events in Forward messages.', inputs.events);
  text.counter('logboom_input_bytes_total', 'Bytes from Forward connections.', inputs.bytes);
  text.counter(
    'logboom_input_messages_cut_off_total',
    'Messages whose connection ended in their middle.',
    inputs.messages_cut_off,
  );
  text.counter('logboom_input_acks_total', 'Acks sent to clients.', inputs.acks);
  text.counter(
    'logboom_input_resends_dropped_total',
    'Chunks that came again and were in the journal already.',
    inputs.resends_dropped,
  );
}

function journalMetrics(text: PrometheusText, { journal }: RelayStatus): void {
  text.gauge(
    'logboom_journal_writable',
    '0 while the journal takes nothing and inputs are held.',
    flag(journal.writable),
  );
  text.gauge('logboom_journal_bytes', "The journal's files.", journal.bytes);
  text.gauge('logboom_journal_limit_bytes', 'What its files may take.', journal.max_bytes);
  text.gauge(
    'logboom_journal_room_bytes',
    'Room until the limit, or until the disk is full.',
    journal.room_left_bytes,
  );
  if (journal.disk_free_bytes !== null) {
    const help = "Free on the journal's file system.";
    text.gauge('logboom_journal_disk_free_bytes', help, journal.disk_free_bytes);
  }
  text.gauge('logboom_journal_segments', 'Files of the journal.', journal.segments);
  if (journal.oldest_ms !== null) {
    const help = 'About when the oldest event that is still there came.';
    text.gauge('logboom_journal_oldest_timestamp_seconds', help, journal.oldest_ms / 1000);
  }
  text.counter(
    'logboom_journal_events_total',
    'Events stored since the journal was created.',
    journal.events,
  );
  text.counter(
    'logboom_journal_event_bytes_total',
    'Bytes of events stored since the journal was created.',
    journal.event_bytes,
  );
  text.counter(
    'logboom_journal_damages_total',
    'Places of damage that were found.',
    journal.quarantined,
  );
  text.counter(
    'logboom_journal_torn_commits_total',
    'Torn commits that were cut off at the start.',
    journal.cut,
  );
}

function outputMetrics(text: PrometheusText, outputs: readonly OutputStatus[]): void {
  const each = (value: (output: OutputStatus) => number | null): Sample[] =>
    outputs.flatMap((output) => {
      const found = value(output);
      return found === null
        ? []
        : [{ labels: { output: output.name, type: output.type }, value: found }];
    });
  text.gauge(
    'logboom_output_up',
    '1 if the last attempt of the output worked.',
    each(({ state }) => flag(state === 'running')),
  );
  text.gauge(
    'logboom_output_lag_events',
    'Events in the journal that the output is not done with.',
    each(({ lag_events }) => lag_events),
  );
  text.gauge(
    'logboom_output_lag_bytes',
    'Bytes of these events.',
    each(({ lag_bytes }) => lag_bytes),
  );
  text.gauge(
    'logboom_output_oldest_age_seconds',
    'How long the oldest event that waits for the output has waited.',
    each(({ oldest_age_ms }) => (oldest_age_ms ?? 0) / 1000),
  );
  text.gauge(
    'logboom_output_chunks_in_flight',
    'Chunks that were sent and are not acked.',
    each(({ chunks_in_flight }) => chunks_in_flight),
  );
  text.counter(
    'logboom_output_retries_total',
    'Attempts that failed and were made again.',
    each(({ retries }) => retries),
  );
  text.counter(
    'logboom_output_events_total',
    'Events that arrived: acked, or written where there are no acks.',
    each(({ events_out }) => events_out),
  );
  text.counter(
    'logboom_output_bytes_total',
    'Bytes of these events.',
    each(({ bytes_out }) => bytes_out),
  );
  text.gauge(
    'logboom_output_last_error_timestamp_seconds',
    'When the output last failed.',
    each(({ last_error_ms }) => (last_error_ms === null ? null : last_error_ms / 1000)),
  );
  text.gauge(
    'logboom_output_detail',
    'What only this type of output knows, by name.',
    outputs.flatMap(detailsOf),
  );
}

function detailsOf({ name: output, details }: OutputStatus): Sample[] {
  return Object.entries(details).flatMap(([name, value]) =>
    typeof value === 'number' ? [{ labels: { output, name }, value }] : [],
  );
}

const LINE_COUNTS = [
  ['lines', 'Lines journaled.'],
  ['torn', 'Log entries that could not be read.'],
  ['recovered', "Lines from Docker's cache that the stream had not brought."],
  ['dropped_doubled', 'Lines that came again and were in the journal already.'],
  ['late', 'Lines journaled behind lines that were written after them.'],
  ['ambiguous', 'Lines left out although another one may have been meant.'],
  ['unanchored', 'Lines that went on without their place being found.'],
  ['uncached', 'Lines that the cache never showed.'],
] as const;

function containerMetrics(text: PrometheusText, containers: readonly ContainerStatus[]): void {
  const labels = containers.map(({ name, how }, index) =>
    index < CONTAINERS_MAX ? { container: name, how } : { container: OTHERS, how: OTHERS },
  );
  for (const [key, help] of LINE_COUNTS) {
    const samples = containers.map((each, index) => ({
      labels: labels[index] as Sample['labels'], // one for each container
      value: each[key],
    }));
    text.counter(`logboom_container_${key}_total`, help, summed(samples));
  }
}

function lossMetrics(text: PrometheusText, { dropped, gaps }: RelayStatus): void {
  const drops = Object.entries(dropped).flatMap(([reason, places]) =>
    Object.entries(places).map(([place, value]) => ({ labels: { reason, place }, value })),
  );
  text.counter('logboom_dropped_events_total', 'Events that will not arrive.', drops);
  const missing = gaps.map(({ container, times }) => ({ labels: { container }, value: times }));
  text.counter(
    'logboom_container_gaps_total',
    'How often lines of a container may have been missed.',
    summed(missing),
  );
}

/** Two samples with the same labels are not allowed: containers may share a name. */
function summed(samples: readonly Sample[]): Sample[] {
  const by_labels = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    by_labels.set(key, { labels, value: value + (by_labels.get(key)?.value ?? 0) });
  }
  return [...by_labels.values()];
}

function labelled(label: string, values: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(values).map(([name, value]) => ({ labels: { [label]: name }, value }));
}

const flag = (is: boolean): number => (is ? 1 : 0);
