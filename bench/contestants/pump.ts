import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Contestant } from './contestant.ts';

const SOURCE = fileURLToPath(new URL('../processes/pump.ts', import.meta.url));

/** The bare byte pump, the limit. */
export function pump(): Contestant {
  return {
    name: 'pump',
    about:
      'pump: bytes from socket to file to socket in Node.js, fdatasync as logboom does, looks at nothing',
    speaks: 'bytes',
    follows: false,
    async command({ directory, port, upstream_port, syncs = true, acks = false }) {
      const file = join(directory, 'pump.mjs');
      // Plain JavaScript, as the relay is: no loader in the process that is measured.
      const { outputText } = ts.transpileModule(await readFile(SOURCE, 'utf8'), {
        compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
      });
      await writeFile(file, outputText);
      const data = join(directory, 'pump.data');
      const ports = [String(port), String(upstream_port)];
      const mode = [syncs ? 'commit' : 'os', ...(acks ? ['acks'] : [])];
      return { file: process.execPath, args: [file, ...ports, data, ...mode] };
    },
  };
}
