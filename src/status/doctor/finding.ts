/** error: lines are lost, or will be · warning: lines can be lost · note: good to know */
export type Severity = 'error' | 'warning' | 'note';

/** Something that can lose lines, and what to do about it. */
export interface Finding {
  /** Never changes its meaning. */
  readonly code: string;
  readonly severity: Severity;
  /** One sentence without its full stop, as are `why` and `fix`. */
  readonly what: string;
  readonly why: string;
  readonly fix: string;
  /** Log options that are the fix, or part of it. */
  readonly log_opts?: Readonly<Record<string, string>>;
}

/** What findings are about. */
export interface Subject {
  readonly kind: 'container' | 'new containers' | 'engine' | 'relay' | 'journal';
  /** Of a container; else empty. */
  readonly name: string;
  readonly id: string;
}

export interface SubjectFindings {
  readonly subject: Subject;
  /** The worst first. */
  readonly findings: readonly Finding[];
}
