import { createServer } from 'node:http';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { StatusServer } from '../../src/status/http/status-server.ts';
import { pageAssets } from '../../src/status/page/assets.ts';
import type { RelayStatus } from '../../src/status/types.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { CHROMIUM } from './peers.ts';
import { freePort } from './ports.ts';
import { RecordingLog } from './recording-log.ts';
import { sampleStatus } from './status-samples.ts';

/** A page in a browser, and what it did that a page must not do. */
export interface WatchedPage {
  readonly page: Page;
  /** What its console got, and what it threw. */
  readonly errors: string[];
  /** URLs that it asked for elsewhere than at the relay. */
  readonly foreign: string[];
}

/** A real browser, and the status server with a snapshot that the test changes as it likes. */
export class PageRig {
  /** What the relay says from now on. */
  status: RelayStatus = sampleStatus();
  readonly #browser: Browser;
  readonly #port: number;
  #server: { close(): Promise<void> } | undefined;

  private constructor(browser: Browser, port: number) {
    this.#browser = browser;
    this.#port = port;
  }

  static async open(): Promise<PageRig> {
    return new PageRig(await launchChromium(), await freePort());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/`;
  }

  /** The server starts, again on the same port if it ran before. */
  async serve(token?: string): Promise<void> {
    const server = await StatusServer.open(
      { host: '127.0.0.1', port: this.#port, token },
      { assets: pageAssets(), clock: systemClock, log: new RecordingLog() },
    );
    server.begin(() => this.status);
    this.#server = server;
  }

  /** A server like it, which says how things are once, and then nothing more. */
  async serveOnce(): Promise<void> {
    const assets = pageAssets();
    const server = createServer((request, response) => {
      const asset = assets.get(request.url ?? '');
      const type = asset?.type ?? 'text/event-stream';
      response.writeHead(200, { 'Content-Type': type });
      if (asset === undefined) response.write(`data: ${JSON.stringify(this.status)}\n\n`);
      else response.end(asset.body);
    });
    await new Promise<void>((resolve) => {
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#server = {
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  }

  async stopServing(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  /** Closes pages and server; the browser stays for the next test. */
  async reset(): Promise<void> {
    await Promise.all(this.#browser.contexts().map((context) => context.close()));
    await this.stopServing();
    this.status = sampleStatus();
  }

  async dispose(): Promise<void> {
    await this.reset();
    await this.#browser.close();
  }

  visit(options: BrowserContextOptions = {}): Promise<WatchedPage> {
    return visit(this.#browser, this.url, options);
  }
}

/** Debian's chromium; as root it has no sandbox. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
}

/** Opens a page in a context of its own. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions,
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const errors: string[] = [];
  const foreign: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) foreign.push(request.url());
  });
  await page.goto(url);
  return { page, errors, foreign };
}
