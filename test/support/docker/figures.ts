/** One line of the relay's own log, in its JSON form. */
export type LogEntry = Readonly<Record<string, unknown>>;

const WARNINGS: readonly unknown[] = ['warn', 'error', 'fatal'];

/** What the relay did to keep containers' lines whole, over all of its runs that ended by themselves. */
export interface DockerFigures {
  /** Lines that the stream lost and a file had. */
  readonly recovered: number;
  /** Lines that a driver sent again, dropped. */
  readonly dropped_doubled: number;
  /** Lines that came behind later ones. */
  readonly late: number;
  /** Lines that could not be told from others, kept. */
  readonly ambiguous: number;
}

/** The numbers in the `docker` field of the relay's last log line. */
const FIGURES = ['recovered', 'dropped_doubled', 'late', 'ambiguous'] as const;

export function dockerFigures(log: readonly LogEntry[]): DockerFigures {
  const figures = { recovered: 0, dropped_doubled: 0, late: 0, ambiguous: 0 };
  for (const { docker } of log) {
    if (typeof docker !== 'object' || docker === null) continue;
    for (const name of FIGURES) figures[name] += Number((docker as LogEntry)[name] ?? 0);
  }
  return figures;
}

/** False: a run of the relay was killed, and took its figures along. */
export function areComplete(log: readonly LogEntry[]): boolean {
  const runs = log.filter(({ msg }) => msg === 'running').length;
  return log.filter(({ docker }) => docker !== undefined).length >= runs;
}

/** A loss that the relay has to name: in a warning or in the figures of its last log line. */
export interface NamedLoss {
  /** The container's name, or any other word that must stand there. */
  readonly container: string;
  readonly reason: RegExp;
}

/** Whether one statement holds both the container's name and the reason. */
export function isNamed({ container, reason }: NamedLoss, log: readonly LogEntry[]): boolean {
  return statements(log).some((text) => text.includes(container) && reason.test(text));
}

/** As JSON, every warning, and every entry under `docker.gaps` in the last log line, `{container, reason, lines}`. */
function statements(log: readonly LogEntry[]): string[] {
  return log
    .flatMap((entry) => {
      const { gaps = [] } = (entry['docker'] ?? {}) as { gaps?: readonly unknown[] };
      return WARNINGS.includes(entry['level']) ? [entry, ...gaps] : gaps;
    })
    .map((statement) => JSON.stringify(statement));
}
