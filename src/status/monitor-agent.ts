import type { InputsStatus, JournalStatus, OutputStatus, RelayStatus } from './types.ts';

/** As fluentd's monitor_agent names and types them; a field that logboom knows nothing of is left out. */
type Plugin = InputPlugin | OutputPlugin;

interface CommonPlugin {
  readonly plugin_id: string;
  readonly type: string;
  /** Left out with `with_config=no`. */
  readonly config?: Readonly<Record<string, string>>;
  readonly emit_records: number;
  readonly emit_size: number;
}

interface InputPlugin extends CommonPlugin {
  readonly plugin_category: 'input';
  readonly output_plugin: false;
  readonly retry_count: null;
}

interface OutputPlugin extends CommonPlugin {
  readonly plugin_category: 'output';
  readonly output_plugin: true;
  readonly retry_count: number;
  readonly rollback_count: number;
  readonly buffer_queue_length: number;
  readonly buffer_timekeys: readonly number[];
  readonly buffer_total_queued_size: number;
  readonly buffer_queue_byte_size: number;
  readonly buffer_stage_length: number;
  readonly buffer_stage_byte_size: number;
  readonly buffer_available_buffer_space_ratios: number;
  readonly retry: Readonly<Record<string, number | string>>;
}

/**
 * What fluentd's monitor_agent answers on `/api/plugins.json`, for dashboards made for it.
 * All Forward listeners are one input; each output is a buffered output whose buffer is
 * its lag in the journal.
 *
 * @param query `@id` or `id`, `@type` or `type`, and `with_config`, as monitor_agent takes them
 */
export function monitorAgentPlugins(
  status: RelayStatus,
  query: URLSearchParams,
): { readonly plugins: readonly Plugin[] } {
  const all = [
    inputPlugin(status.inputs),
    ...status.outputs.map((output) => outputPlugin(output, status.journal)),
  ];
  const id = query.get('@id') ?? query.get('id');
  const type = query.get('@type') ?? query.get('type');
  const chosen = all.filter(
    (plugin) => (id === null || plugin.plugin_id === id) && (type === null || plugin.type === type),
  );
  return { plugins: wantsConfig(query) ? chosen : chosen.map(withoutConfig) };
}

function inputPlugin({ events, bytes, listeners }: InputsStatus): InputPlugin {
  const type = 'forward';
  return {
    plugin_id: 'inputs',
    plugin_category: 'input',
    type,
    config: { '@type': type, '@id': 'inputs', listen: listeners.map(({ url }) => url).join(',') },
    output_plugin: false,
    retry_count: null,
    emit_records: events,
    emit_size: bytes,
  };
}

function outputPlugin(output: OutputStatus, journal: JournalStatus): OutputPlugin {
  const { name, type, events_out, bytes_out, retries } = output;
  const lag_events = output.lag_events ?? 0;
  const lag_bytes = output.lag_bytes ?? 0;
  return {
    plugin_id: name,
    plugin_category: 'output',
    type,
    config: { '@type': type, '@id': name },
    output_plugin: true,
    retry_count: retries,
    rollback_count: retries,
    emit_records: events_out + lag_events,
    emit_size: bytes_out + lag_bytes,
    buffer_queue_length: output.chunks_in_flight,
    buffer_timekeys: [],
    buffer_total_queued_size: lag_bytes,
    buffer_queue_byte_size: lag_bytes,
    buffer_stage_length: 0,
    buffer_stage_byte_size: 0,
    buffer_available_buffer_space_ratios: percent(journal.room_left_bytes, journal.max_bytes),
    retry: retryOf(output),
  };
}

/** `start` only: it is when the output failed last. Empty while it works. */
function retryOf({ state, retries, last_error_ms }: OutputStatus): OutputPlugin['retry'] {
  if (state !== 'retrying' || last_error_ms === null) return {};
  return { start: new Date(last_error_ms).toISOString(), steps: retries };
}

/** With one digit, as fluentd gives it. */
const percent = (part: number, whole: number): number => Math.round((part / whole) * 1000) / 10;

const wantsConfig = (query: URLSearchParams): boolean =>
  !['no', 'false'].includes(query.get('with_config') ?? 'yes');

function withoutConfig(plugin: Plugin): Plugin {
  const { config, ...rest } = plugin;
  return config === undefined ? plugin : rest;
}
