/** A value of a metric, with what tells it from the others. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/**
 * Text in Prometheus' exposition format 0.0.4: families of metrics, each with its help and
 * its type once, and its samples together.
 */
export class PrometheusText {
  static readonly content_type = 'text/plain; version=0.0.4; charset=utf-8';
  #text = '';

  /** Something that goes up and down. */
  gauge(name: string, help: string, samples: number | readonly Sample[]): void {
    this.#family(name, 'gauge', help, samples);
  }

  /** Something that only grows while the process lives; `name` ends in `_total`. */
  counter(name: string, help: string, samples: number | readonly Sample[]): void {
    this.#family(name, 'counter', help, samples);
  }

  toString(): string {
    return this.#text;
  }

  /** A family without samples is left out. */
  #family(name: string, type: string, help: string, samples: number | readonly Sample[]): void {
    const all = typeof samples === 'number' ? [{ labels: {}, value: samples }] : samples;
    if (all.length === 0) return;
    this.#text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value } of all) this.#text += `${name}${labelText(labels)} ${value}\n`;
  }
}

function labelText(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"');
