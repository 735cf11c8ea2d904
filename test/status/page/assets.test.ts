import { describe, expect, it } from 'vitest';
import { pageAssets } from '../../../src/status/page/assets.ts';

/** What `npm test` has built. */
const BUILT = new URL('../../../dist/status/page/assets.js', import.meta.url);

const assets = pageAssets();
const textOf = (path: string): string => assets.get(path)?.body.toString() ?? '';
const html = textOf('/');

/** Relative to the page, as the browser resolves them. */
function resolve(reference: string, from: string): string {
  return new URL(reference, new URL(from, 'http://relay')).pathname;
}

describe('the files of the page', () => {
  it('are all there that the page names', () => {
    const named = [...html.matchAll(/\b(?:src|href)="(assets\/[^"]+)"/g)].map(([, path]) => path);
    expect(named.length).toBeGreaterThan(4);
    expect(named.filter((path) => !assets.has(resolve(path ?? '', '/')))).toEqual([]);
  });

  it('are all there that its modules import', () => {
    const modules = [...assets.keys()].filter((path) => path.endsWith('.js'));
    const imports = modules.flatMap((path) =>
      [...textOf(path).matchAll(/^import .* from '(.+)';$/gm)].map(([, to]) =>
        resolve(to ?? '', path),
      ),
    );
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter((path) => !assets.has(path))).toEqual([]);
  });

  it('have the types that browsers insist on', () => {
    expect(assets.get('/')?.type).toBe('text/html; charset=utf-8');
    expect(assets.get('/assets/uplot.js')?.type).toBe('text/javascript; charset=utf-8');
    expect(assets.get('/assets/page.css')?.type).toBe('text/css; charset=utf-8');
    expect(assets.get('/assets/icon.svg')?.type).toBe('image/svg+xml');
  });

  it('are only those that a browser needs', () => {
    const odd = [...assets.keys()].filter((path) => path !== '/' && !/\.(js|css|svg)$/.test(path));
    expect(odd).toEqual([]);
  });

  it('are beside the built relay as well', async () => {
    const built = (await import(BUILT.href)) as { pageAssets: typeof pageAssets };
    expect([...built.pageAssets().keys()]).toEqual(expect.arrayContaining([...assets.keys()]));
  });

  it('name no other server, and have no script or style in the page', () => {
    const own = [...assets].filter(([path]) => !path.includes('uplot'));
    for (const [path, { body }] of own) {
      const urls = body.toString().match(/\bhttps?:\/\/(?!www\.w3\.org\/2000\/svg)[^\s'"]+/g);
      expect({ path, urls }).toEqual({ path, urls: null });
    }
    expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\sstyle=|\son\w+=/);
  });

  it('never make markup of data', () => {
    const own = [...assets].filter(([path]) => path.endsWith('.js') && !path.includes('uplot'));
    for (const [path, { body }] of own) {
      expect({
        path,
        found: /innerHTML|outerHTML|insertAdjacentHTML|document\.write/.exec(body.toString()),
      }).toEqual({
        path,
        found: null,
      });
    }
  });
});
