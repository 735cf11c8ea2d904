import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { LogboomError, messageOf } from '../../errors.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Log } from '../../sys/log.ts';

/**
 * What a server asks of its clients:
 * - `none`: no certificate
 * - `request`: one that the CA signed, or none
 * - `require`: one that the CA signed
 */
type ClientCertificates = 'none' | 'request' | 'require';

export interface TlsOptions {
  /** PEM; the server's certificate first, then its chain. */
  readonly cert_file: string;
  readonly key_file: string;
  /** PEM; signs the clients' certificates. Needed unless `client_certificates` is `none`. */
  readonly ca_file?: string;
  readonly client_certificates?: ClientCertificates;
  readonly min_version?: 'TLSv1.2' | 'TLSv1.3';
}

/** How often the files are looked at for a renewal. */
const WATCH_INTERVAL_MS = 10_000;

/**
 * Reads and checks the files.
 *
 * @throws LB_TLS that names the file and what is wrong with it.
 */
export async function loadTls(options: TlsOptions, now_ms: number): Promise<SecureContextOptions> {
  const wants_clients = (options.client_certificates ?? 'none') !== 'none';
  if (wants_clients && options.ca_file === undefined) {
    throw new LogboomError('LB_TLS', 'client certificates are asked for, but no CA is given', {
      hint: 'Set ca_file to the certificate that signed those of the clients.',
    });
  }
  const cert = await readPem(options.cert_file);
  const key = await readPem(options.key_file);
  const ca = options.ca_file === undefined ? undefined : await readPem(options.ca_file);
  assertCertificate(options.cert_file, cert, now_ms);
  if (options.ca_file !== undefined && ca !== undefined) {
    assertCertificate(options.ca_file, ca, now_ms);
  }
  assertKeyMatches(options, cert, key);
  const context: SecureContextOptions = {
    cert,
    key,
    ...(ca === undefined ? {} : { ca }),
    minVersion: options.min_version ?? 'TLSv1.2',
  };
  try {
    createSecureContext(context);
  } catch (error) {
    throw unusable(options.cert_file, messageOf(error), error);
  }
  return context;
}

/**
 * Looks at the files of `options` and calls `renewed` with what it read whenever they
 * have changed. Files that cannot be used leave everything as it is, are warned of
 * once, and are tried again: a renewal writes certificate and key one after the other.
 */
export class CertificateWatch {
  readonly #options: TlsOptions;
  readonly #renewed: (context: SecureContextOptions) => void;
  readonly #clock: Clock;
  readonly #log: Log;
  #in_use = '';
  #warned_of = '';
  #cancel: (() => void) | undefined;
  #closed = false;

  constructor(
    options: TlsOptions,
    renewed: (context: SecureContextOptions) => void,
    clock: Clock,
    log: Log,
  ) {
    this.#options = options;
    this.#renewed = renewed;
    this.#clock = clock;
    this.#log = log;
  }

  /** Reads the files for the first time and begins to watch. @throws LB_TLS */
  async start(): Promise<SecureContextOptions> {
    this.#in_use = await signature(this.#options);
    const context = await loadTls(this.#options, this.#clock.now_ms());
    this.#schedule();
    return context;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
  }

  /** Looks at the files now. Never throws. */
  async poll(): Promise<void> {
    const found = await signature(this.#options);
    if (found === this.#in_use || this.#closed) return;
    const { cert_file } = this.#options;
    try {
      const context = await loadTls(this.#options, this.#clock.now_ms());
      if (this.#closed) return;
      this.#renewed(context);
      this.#in_use = found;
      this.#log.info({ cert_file }, 'certificate renewed');
    } catch (error) {
      if (this.#warned_of === found) return;
      this.#warned_of = found;
      this.#log.warn(
        { cert_file, error: messageOf(error) },
        'the changed certificate cannot be used; the previous one stays in use',
      );
    }
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancel = this.#clock.after(WATCH_INTERVAL_MS, () => {
      void this.poll().then(
        () => this.#schedule(),
        () => this.#schedule(),
      );
    });
  }
}

/** Changes whenever one of the files does. */
async function signature(options: TlsOptions): Promise<string> {
  const files = [options.cert_file, options.key_file, options.ca_file ?? ''];
  const marks = await Promise.all(
    files.map(async (file) => {
      if (file === '') return '';
      const found = await stat(file).catch(() => undefined);
      return found === undefined ? 'missing' : `${found.ino}.${found.size}.${found.mtimeMs}`;
    }),
  );
  return marks.join(' ');
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw unusable(file, messageOf(error), error);
  }
}

function assertCertificate(file: string, pem: Buffer, now_ms: number): void {
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
    throw unusable(file, 'there is no PEM certificate in it');
  }
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch (error) {
    throw unusable(file, messageOf(error), error);
  }
  if (Date.parse(certificate.validTo) < now_ms) {
    throw unusable(file, `the certificate has expired on ${certificate.validTo}`);
  }
}

function assertKeyMatches(options: TlsOptions, cert: Buffer, key: Buffer): void {
  let matches: boolean;
  try {
    matches = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw unusable(options.key_file, `there is no usable private key in it: ${messageOf(error)}`);
  }
  if (!matches) {
    throw unusable(options.key_file, `the key does not belong to ${options.cert_file}`);
  }
}

function unusable(file: string, why: string, cause?: unknown): LogboomError {
  return new LogboomError('LB_TLS', why, {
    where: file,
    ...(cause === undefined ? {} : { cause }),
  });
}
