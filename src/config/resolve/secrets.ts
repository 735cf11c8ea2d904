import { messageOf, systemCode } from '../../errors.ts';
import type { Report } from '../checks/report.ts';
import type { Path } from '../tree.ts';

/** Reads a whole file as text; throws what node:fs throws. */
export type ReadFile = (path: string) => string;

/** Finds secrets in a section, given as text (`password`) or as a file (`password_file`). */
export class SecretReader {
  readonly #readFile: ReadFile;
  readonly #report: Report;

  constructor(readFile: ReadFile, report: Report) {
    this.#readFile = readFile;
    this.#report = report;
  }

  /** The secret `name` of `section`, which stands at `path`; what is wrong with its file is reported. */
  read(section: object, name: string, path: Path): string | undefined {
    const given: Record<string, unknown> = { ...section };
    const text = given[name];
    const file = given[`${name}_file`];
    if (typeof text === 'string') return text;
    return typeof file === 'string' ? this.#fromFile(file, [...path, `${name}_file`]) : undefined;
  }

  /** One newline at the end belongs to the file, not to the secret. */
  #fromFile(file: string, path: Path): string | undefined {
    let secret: string;
    try {
      secret = this.#readFile(file).replace(/\r?\n$/, '');
    } catch (error) {
      const hint = HINTS[systemCode(error) ?? ''] ?? messageOf(error);
      this.#report(path, `the file ${JSON.stringify(file)} cannot be read`, hint);
      return undefined;
    }
    if (secret === '') this.#report(path, `the file ${JSON.stringify(file)} is empty`);
    return secret;
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file.',
  EACCES: 'This user may not read it.',
  EISDIR: 'It is a directory.',
};
