import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cli } from '../cli/fake-host.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const bash = promisify(execFile);

/** Stands for the program, so that what the script makes of its answer is seen. */
const PROGRAM = `logboom() {
  printf '%s\\n' "$@" > "$ASKED"
  printf '%b' "$ANSWER"
}
`;

describe('the completion of bash', () => {
  let dir: TempDir;

  beforeEach(async () => {
    dir = await tempDir('completion');
    const { code, out } = await cli('completion bash');
    expect(code).toBe(0);
    await writeFile(join(dir.path, 'script'), out);
  });

  afterEach(() => dir.remove());

  /** What a shell that read the script offers behind `line`, and what it asked the program for. */
  async function complete(
    line: string,
    answer: string,
  ): Promise<{ offered: string[]; asked: string }> {
    const asked = join(dir.path, 'asked');
    const steps = `${PROGRAM}
      source "$SCRIPT"
      COMP_LINE=$LINE COMP_POINT=\${#LINE}
      __logboom_complete
      printf '%s\\n' "\${COMPREPLY[@]}"
      printf 'ASKED\\n'
      cat "$ASKED"`;
    const env = { PATH: process.env['PATH'], ASKED: asked, LINE: line, ANSWER: answer };
    const { stdout, stderr } = await bash('bash', ['--norc', '-c', steps], {
      env: { ...env, SCRIPT: join(dir.path, 'script') },
    });
    expect(stderr).toBe('');
    const [offered = '', words = ''] = stdout.split('ASKED\n');
    return { offered: offered.split('\n').filter((each) => each !== ''), asked: words };
  }

  it('can be read twice by one shell, also one that ends at any error', async () => {
    const steps = 'set -eu; source "$SCRIPT"; source "$SCRIPT"; complete -p logboom';
    const env = { PATH: process.env['PATH'], SCRIPT: join(dir.path, 'script') };
    const { stdout, stderr } = await bash('bash', ['--norc', '-c', steps], { env });
    expect([stdout, stderr]).toEqual([expect.stringContaining('__logboom_complete'), '']);
  });

  it('leaves nothing but its function in the shell', async () => {
    const steps = 'before=$(compgen -v); source "$SCRIPT"; diff <(echo "$before") <(compgen -v)';
    const env = { PATH: process.env['PATH'], SCRIPT: join(dir.path, 'script'), before: '' };
    const { stdout } = await bash('bash', ['--norc', '-c', `: <(:); ${steps}`], { env });
    expect(stdout).toBe('');
  });

  it('offers what the program answers, without the explanations', async () => {
    const { offered } = await complete('logboom bu', 'buffer\\tLook into a journal\\n:4\\n');
    expect(offered).toEqual(['buffer']);
  });

  it('asks with an empty word behind a space, and offers files where the program knows nothing', async () => {
    const { offered, asked } = await complete('logboom buffer ls ', ':4\\n');
    expect([offered, asked]).toEqual([[], 'complete\n--\nbuffer\nls\n\n']);
    const { stdout } = await bash(
      'bash',
      ['--norc', '-c', 'source "$SCRIPT"; complete -p logboom'],
      {
        env: { PATH: process.env['PATH'], SCRIPT: join(dir.path, 'script') },
      },
    );
    expect(stdout).toContain('-o default');
  });
});
