import { metricsText } from '../metrics.ts';
import { monitorAgentPlugins } from '../monitor-agent.ts';
import { reasonNotWritable } from '../problems.ts';
import { PrometheusText } from '../prometheus-text.ts';
import type { RelayStatus } from '../types.ts';
import { type Answer, json, plain } from './answer.ts';

/** What is answered at a path. */
export interface Route {
  /** Figures need the token, if there is one; what says nothing of them does not. */
  readonly is_open: boolean;
  /** `status` is undefined until the relay runs. */
  answer(status: RelayStatus | undefined, query: URLSearchParams): Answer;
}

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly body: string | Buffer;
}

/**
 *     /healthz           200 while clients are served and the journal takes events, else 503 and why
 *     /readyz            200 from the start until the stop, else 503
 *     /status.json       the snapshot
 *     /metrics           for Prometheus
 *     /api/plugins.json  as fluentd's monitor_agent
 *     /, /assets/…       the page
 *
 * `/events`, a stream, is the server's own.
 */
export function routesOf(assets: ReadonlyMap<string, Asset>): ReadonlyMap<string, Route> {
  return new Map<string, Route>([
    ['/healthz', { is_open: true, answer: healthAnswer }],
    ['/readyz', { is_open: true, answer: readyAnswer }],
    ['/status.json', figures((status) => json(status))],
    ['/metrics', figures(metricsAnswer)],
    ['/api/plugins.json', figures((status, query) => json(monitorAgentPlugins(status, query)))],
    ...[...assets].map(([path, asset]): [string, Route] => [path, assetRoute(asset)]),
  ]);
}

export const STARTING = plain(503, 'logboom is starting');

function figures(answer: (status: RelayStatus, query: URLSearchParams) => Answer): Route {
  return {
    is_open: false,
    answer: (status, query) => (status === undefined ? STARTING : answer(status, query)),
  };
}

function assetRoute({ type, body }: Asset): Route {
  return { is_open: true, answer: () => ({ code: 200, type, body }) };
}

function metricsAnswer(status: RelayStatus): Answer {
  return { code: 200, type: PrometheusText.content_type, body: metricsText(status) };
}

function healthAnswer(status: RelayStatus | undefined): Answer {
  const ready = readyAnswer(status);
  if (status === undefined || ready.code !== 200) return ready;
  const reason = reasonNotWritable(status.journal);
  return reason === undefined
    ? plain(200, 'ok')
    : plain(503, `the journal takes nothing: ${reason}`);
}

function readyAnswer(status: RelayStatus | undefined): Answer {
  if (status === undefined) return STARTING;
  return status.state === 'running' ? plain(200, 'ok') : plain(503, 'logboom is stopping');
}
