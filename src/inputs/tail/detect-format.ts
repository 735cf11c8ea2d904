/** How a file of Kubernetes' is written: the runtime's way, or Docker's. */
export type TailFormat = 'cri' | 'json-file';

/** As many bytes as the pattern below can need. */
export const HEAD_BYTES = 64;

const CRI_HEAD =
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) std(?:out|err) [PF][ :]/;

/** The format of a file that begins with `head`; undefined: neither. */
export function detectFormat(head: Buffer): TailFormat | undefined {
  const text = head.toString('latin1', 0, HEAD_BYTES);
  if (text.startsWith('{"')) return 'json-file';
  return CRI_HEAD.test(text) ? 'cri' : undefined;
}
