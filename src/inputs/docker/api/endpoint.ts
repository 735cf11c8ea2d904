/** Where an Engine listens. */
export interface Endpoint {
  /** As it stands in messages. */
  readonly url: string;
  readonly socketPath: string;
}

export function unixEndpoint(path: string): Endpoint {
  return { url: `unix://${path}`, socketPath: path };
}
