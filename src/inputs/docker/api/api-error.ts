import { LogboomError, messageOf, systemCode } from '../../../errors.ts';

/** Who may use the socket is for whoever owns it; its group is what an operator can change. */
const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Mount the socket into this container, or start the Docker Engine.',
  ECONNREFUSED: 'Start the Docker Engine; the address is there, but nobody listens.',
  EACCES:
    "Let this user into the group that owns the socket (see it with: ls -l), usually `docker`: `--group-add` with that group's number.",
  EPERM:
    "Let this user into the group that owns the socket (see it with: ls -l), usually `docker`: `--group-add` with that group's number.",
  ENOTFOUND: 'The host name is not known; give an address.',
  ETIMEDOUT: 'See whether the Engine answers: docker version.',
};

/** The Engine could not be asked, or broke off. */
export function transportError(where: string, cause: unknown): LogboomError {
  const hint = HINTS[systemCode(cause) ?? ''];
  return new LogboomError(
    'LB_DOCKER_API',
    `the Docker Engine cannot be reached: ${messageOf(cause)}`,
    {
      where,
      cause,
      ...(hint === undefined ? {} : { hint }),
    },
  );
}

/** The Engine answered with an error. `status` is its HTTP status. */
export class EngineRefusal extends LogboomError {
  readonly status: number;

  constructor(where: string, status: number, body: string) {
    super('LB_DOCKER_API', `expected status 200, found ${status}: ${messageIn(body)}`, {
      where,
      ...(status === 403
        ? {
            hint: 'A proxy in front of the socket must let GET requests for containers, events and version pass.',
          }
        : {}),
    });
    this.status = status;
  }
}

const MESSAGE_MAX_CHARS = 300;

/** `{"message": "..."}`, or whatever came. */
function messageIn(body: string): string {
  let text = body.trim();
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed) {
      text = String(parsed.message);
    }
  } catch {
    // Plain text is as good.
  }
  return text.slice(0, MESSAGE_MAX_CHARS) || 'no message';
}
