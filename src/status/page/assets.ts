import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Asset {
  /** Its Content-Type. */
  readonly type: string;
  readonly body: Buffer;
}

/** Files of other kinds in the folder are not for the browser. */
const TYPES = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
]);

/**
 * The files of the status page, by path: the page itself at `/`, what it asks for under
 * `/assets/`. They hold no secret: a token guards the figures, and the page asks for it.
 *
 * @throws an error of the file system if logboom's or uPlot's own files are not there
 */
export function pageAssets(): ReadonlyMap<string, Asset> {
  const folder = fileURLToPath(new URL('browser/', import.meta.url));
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const assets = new Map<string, Asset>();
  for (const name of readdirSync(folder)) {
    const path = name === 'index.html' ? '/' : `/assets/${name}`;
    addFile(assets, path, join(folder, name));
  }
  addFile(assets, '/assets/uplot.js', join(uplot, 'uPlot.esm.js'));
  addFile(assets, '/assets/uplot.css', join(uplot, 'uPlot.min.css'));
  return assets;
}

function addFile(assets: Map<string, Asset>, path: string, file: string): void {
  const type = TYPES.get(extname(file));
  if (type !== undefined) assets.set(path, { type, body: readFileSync(file) });
}
