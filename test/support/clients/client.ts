/** What every client library is asked to do: send `<name> post <n>` for n from 1 to `lines`. */
export interface Sending {
  readonly name: string;
  readonly tag: string;
  readonly lines: number;
}

/** The stream that a LineCounter files these lines under. */
export const streamOf = (sending: Sending): string => `${sending.name} post`;

export const lineOf = (sending: Sending, n: number): string => `${streamOf(sending)} ${n}`;

export interface Security {
  readonly shared_key: string;
  readonly user?: string;
  readonly password?: string;
}
