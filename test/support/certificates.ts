import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './process.ts';

export interface Certificates {
  /** Paths of PEM files. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** A CA of its own and one certificate for localhost and 127.0.0.1, made with openssl in `dir`. */
export async function makeCertificates(dir: string): Promise<Certificates> {
  const at = (name: string): string => join(dir, name);
  const openssl = (...args: string[][]) => run('openssl', args.flat());
  const new_key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const two_days = ['-days', '2'];
  await openssl(
    ['req', '-x509', '-subj', '/CN=logboom test CA', ...two_days, ...new_key],
    ['-keyout', at('ca.key'), '-out', at('ca.pem')],
  );
  await openssl(
    ['req', '-subj', '/CN=localhost', ...new_key],
    ['-keyout', at('server.key'), '-out', at('server.csr')],
  );
  await writeFile(at('san.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  await openssl(
    ['x509', '-req', '-in', at('server.csr'), '-out', at('server.pem'), ...two_days],
    ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-extfile', at('san.ext')],
  );
  return { ca: at('ca.pem'), cert: at('server.pem'), key: at('server.key') };
}
